"""Memory of the process: how the C library takes it from the operating system and returns it."""

import ctypes
import gc

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_MEBIBYTE = 1024**2


def keep_memory_small() -> None:
    """Tune the allocator of glibc; call it before threads are started.

    One heap for all threads: otherwise each has its own and returns nothing from it. A process that
    compresses responses in threads grew to 289 MiB, and to 166 with one heap (`memory` in
    benchmarks/). Threads then wait for each other in the allocator, as they do for the GIL anyway.

    Large blocks always outside the heap: otherwise glibc allocates them inside once it has seen one
    freed, and the 19 MiB that checking a password takes stay there.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # musl, macOS, Windows: they do this already, or have no such function
    mallopt(_M_ARENA_MAX, 1)
    mallopt(_M_MMAP_THRESHOLD, 4 * _MEBIBYTE)
    mallopt(_M_TRIM_THRESHOLD, 8 * _MEBIBYTE)


def freeze_startup_objects() -> None:
    """Exempt everything that exists from garbage collection; call it when startup is done.

    Modules, models and routes are some 170,000 objects that live as long as the process. A full
    collection walks through all of them while every request waits: 100 to 190 ms, about once in a
    hundred uncached pages; without them it takes less than 1 ms.
    """
    gc.collect()
    gc.freeze()
