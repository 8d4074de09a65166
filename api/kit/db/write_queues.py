"""Queues of writers, one for each row that many transactions lock.

A transaction that waits for a row's lock keeps its connection meanwhile. One row that is locked for
long, or written to by many, would so use up the pool, and keep everybody from writing anything. In
these queues writers wait before they take a connection, each queue within bounds.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from api.kit.problems import Problem


class WriteQueueFull(Problem):
    """Too many writers of this process want the same row."""

    status = 503
    code = "write_queue_full"
    title = "Too many requests are changing this at the moment"
    detail = "Try again in a few seconds: what creates something, with the same Idempotency-Key."
    headers = (("Retry-After", "2"),)


class _Queue:
    """The writers of one row: those at work, and those who wait."""

    def __init__(self, width: int) -> None:
        self.turns = asyncio.Semaphore(width)
        self.writers = 0


class WriteQueues:
    """The queues of one process, for one event loop.

    Of the writers of one row `width` are at work at the same time, each with a connection, and
    `length` more wait for at most `timeout` seconds.
    """

    def __init__(self, *, width: int, length: int, timeout: float) -> None:
        self._width = width
        self._length = length
        self._timeout = timeout
        self._queues: dict[UUID, _Queue] = {}

    @asynccontextmanager
    async def turn(self, row_id: UUID | None) -> AsyncIterator[None]:
        """Wait for a turn to write to a row, None for no row; it lasts as long as the block.

        Enter it before the transaction takes a connection, and leave it after the commit. Raises
        WriteQueueFull, at once when the queue is full.
        """
        if row_id is None:
            yield
            return
        queue = self._queues.get(row_id)
        if queue is None:
            queue = self._queues[row_id] = _Queue(self._width)
        if queue.writers >= self._width + self._length:
            raise WriteQueueFull
        queue.writers += 1
        try:
            try:
                async with asyncio.timeout(self._timeout):
                    await queue.turns.acquire()
            except TimeoutError as error:
                raise WriteQueueFull from error
            try:
                yield
            finally:
                queue.turns.release()
        finally:
            queue.writers -= 1
            if queue.writers == 0:
                del self._queues[row_id]
