"""One heap for all threads, in a process of its own: the C library's, for good."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each thread holds what Python's own allocator hands on to the C library: more than 512 bytes. Then
# glibc describes its heaps in XML.
THREADS = """
import ctypes, sys, threading
from api.kit.memory import share_one_heap

if sys.argv[1] == "shared":
    share_one_heap()
held = threading.Barrier(9)
release = threading.Event()

def hold():
    block = bytes(10_000)
    held.wait()
    release.wait()

threads = [threading.Thread(target=hold) for _ in range(8)]
for thread in threads:
    thread.start()
held.wait()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
release.set()
"""


@pytest.mark.skipif(
    not (sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_info")),
    reason="only glibc has a heap for each thread",
)
@pytest.mark.parametrize(("how", "shares"), [("shared", True), ("by default", False)])
def test_threads_share_one_heap(how: str, shares: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS, how], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert (done.stdout.count("<heap nr=") == 1) is shares
