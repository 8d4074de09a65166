"""Rendering what people write: off the event loop, and a problem when it comes to too much."""

import asyncio
from collections.abc import Sequence

from api.kit.problems import Problem
from api.kit.text import markup
from api.kit.text.markup import Document, MentionMark
from api.kit.text.traced_markdown import MarkupTooLargeError

# Code points. A longer text is worked on in a thread: the worst takes tenths of a second, and
# others must not wait for it. A shorter one takes a hundredth at the worst.
SHORT = 300


class TextTooLarge(Problem):
    """The text is short, but what it renders to is not."""

    status = 422
    code = "text_too_large"
    title = "Text too large when rendered"
    detail = "Use fewer table cells, links or levels of nesting."


async def parse_text(body: str) -> Document:
    """Return the parsed Markdown. Raises TextTooLarge."""
    try:
        if len(body) <= SHORT:
            return markup.parse(body)
        return await asyncio.to_thread(markup.parse, body)
    except MarkupTooLargeError as error:
        raise TextTooLarge from error


async def render_text(document: Document, mentions: Sequence[MentionMark] = ()) -> str:
    """Return the clean HTML of a parsed text. Raises TextTooLarge."""
    try:
        if len(document.source) <= SHORT:
            return document.render(mentions)
        return await asyncio.to_thread(document.render, mentions)
    except MarkupTooLargeError as error:
        raise TextTooLarge from error
