"""Structured logs: one event per line, without texts of users, passwords and tokens."""

import logging
import sys
import traceback
from types import TracebackType

import structlog

from api.kit.settings import Settings

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# Of an exception: causes named, innermost frames of each, characters of each message.
_MAX_CAUSES = 8
_MAX_FRAMES = 30
_MAX_MESSAGE = 500


def configure_logging(settings: Settings) -> None:
    """Send the logs of Palaver and of libraries to standard error in one format."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_describe),
    ]
    if settings.log_format == "json":
        renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    level = _LEVELS[settings.log_level]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer)
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _describe(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
) -> str:
    """Return an exception as text, its cause first: frames, and the first line of the message.

    Local variables and further lines of a message are left out: PostgreSQL, SQLAlchemy and pydantic
    quote input there.
    """
    parts: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(parts) < _MAX_CAUSES:
        frames = "".join(traceback.format_tb(error.__traceback__, limit=-_MAX_FRAMES))
        message = str(error).partition("\n")[0][:_MAX_MESSAGE]
        parts.append(f"{frames}{type(error).__qualname__}: {message}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(reversed(parts))
