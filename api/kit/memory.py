"""How the process asks the operating system for memory, and gives it back."""

import ctypes

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_MEBIBYTE = 1024**2


def keep_memory_small() -> None:
    """Tune the C library's allocator, where that is glibc; call it before there are threads.

    One heap for all threads: else each has its own and gives nothing back from it. With answers
    compressed in threads, and sent again and again by the event loop, a process came to 289 MiB
    that came to 166 with one heap (`memory` in benchmarks/). The price is to wait for each other,
    and threads of Python do that anyway.

    Large blocks outside it, always: else glibc moves them into the heap once it has seen one freed,
    and the 19 MiB that checking a password takes stay there.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # musl, macOS, Windows: they do so already, or cannot be told
    mallopt(_M_ARENA_MAX, 1)
    mallopt(_M_MMAP_THRESHOLD, 4 * _MEBIBYTE)
    mallopt(_M_TRIM_THRESHOLD, 8 * _MEBIBYTE)
