"""The allocator as it is tuned, in processes of their own: it is the C library's, for good."""

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
from api.kit.memory import keep_memory_small

if sys.argv[1] == "tuned":
    keep_memory_small()
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


# A block that is large, like those for hashing a password, is held and freed a few times; what is
# left of it is said in MiB.
BLOCKS = """
import ctypes, sys
import psutil
from api.kit.memory import keep_memory_small

if sys.argv[1] == "tuned":
    keep_memory_small()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
size = 19 * 1024**2
before = psutil.Process().memory_info().rss
for _ in range(3):
    block = libc.malloc(size)
    ctypes.memset(block, 1, size)
    above = libc.malloc(1000)
    libc.free(block)
print((psutil.Process().memory_info().rss - before) // 1024**2)
"""

only_glibc = pytest.mark.skipif(
    not (sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_info")),
    reason="only glibc can be told",
)


@only_glibc
@pytest.mark.parametrize(("how", "shared"), [("tuned", True), ("by default", False)])
def test_threads_share_one_heap(how: str, shared: bool) -> None:
    assert (run(THREADS, how).count("<heap nr=") == 1) is shared


@only_glibc
@pytest.mark.parametrize(("how", "left"), [("tuned", range(3)), ("by default", range(15, 30))])
def test_large_blocks_are_given_back(how: str, left: range) -> None:
    assert int(run(BLOCKS, how)) in left


def run(program: str, how: str) -> str:
    command = [sys.executable, "-c", program, how]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_what_exists_at_startup_is_no_work_for_the_garbage_collector() -> None:
    script = (
        "import gc\n"
        "from api.kit.memory import freeze_startup_objects\n"
        "import api.main\n"
        "freeze_startup_objects()\n"
        "print(gc.get_freeze_count(), len(gc.get_objects()))\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    frozen, left = map(int, output.split())
    assert frozen > 50_000
    assert left < 1_000
