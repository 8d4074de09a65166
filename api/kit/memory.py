"""How the process asks the operating system for memory."""

import ctypes

# From glibc's malloc.h.
_M_ARENA_MAX = -8


def share_one_heap() -> None:
    """Let all threads allocate from one heap, where the C library is glibc; call it before threads.

    Else each thread gets a heap of its own and gives nothing back from it: with answers compressed
    in threads, and sent again and again by the event loop, a process came to 289 MiB that comes to
    166 with one heap (`memory` in benchmarks/). The price is to wait for each other, and threads of
    Python do that anyway.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # musl, macOS, Windows: their heaps are shared already
    mallopt(_M_ARENA_MAX, 1)
