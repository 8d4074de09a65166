"""From a text to who is meant by it: parsed, looked up, rendered."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.comments import mentions, queries
from api.comments.errors import TextTooLarge
from api.comments.mentions import Mention, Unresolved
from api.kit import markup
from api.kit.markup import Document, MarkupTooLargeError, MentionMark


@dataclass(frozen=True, slots=True)
class ResolvedText:
    """A text, ready to be stored."""

    source: str
    html: str
    mentions: list[Mention]
    unresolved: list[Unresolved]


async def parse_text(body: str) -> Document:
    """Return the parsed Markdown. Raises TextTooLarge."""
    try:
        # In a thread: the worst text takes tenths of a second, and others must not wait for it.
        return await asyncio.to_thread(markup.parse, body)
    except MarkupTooLargeError as error:
        raise TextTooLarge from error


async def resolve_text(session: AsyncSession, body: str, article_id: UUID) -> ResolvedText:
    """Return a text rendered, with whom it mentions. Raises TextTooLarge."""
    return await resolve_document(session, await parse_text(body), article_id)


async def resolve_document(
    session: AsyncSession, document: Document, article_id: UUID
) -> ResolvedText:
    """Return a parsed text rendered, with whom it mentions. Raises TextTooLarge."""
    ats = mentions.find(document)
    people = []
    if ats:
        people = await queries.find_people(session, mentions.keys_of(ats), article_id)
    found, unresolved = mentions.resolve(document.source, ats, people)
    marks = [MentionMark(one.start, one.end, one.person.user_id) for one in found]
    try:
        html = await asyncio.to_thread(document.render, marks)
    except MarkupTooLargeError as error:
        raise TextTooLarge from error
    return ResolvedText(document.source, html, found, unresolved)
