"""Resolve the mentions of a text: parse it, look people up, render it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.comments.mentions import parsing, queries
from api.comments.mentions.parsing import Mention, Unresolved
from api.kit.text.markup import Document, MentionMark
from api.kit.text.rendering import parse_text, render_text


@dataclass(frozen=True, slots=True)
class ResolvedText:
    """A text, ready to be stored."""

    source: str
    html: str
    mentions: list[Mention]
    unresolved: list[Unresolved]
    # Addresses that the text links to, in its order.
    links: list[str]


async def resolve_text(session: AsyncSession, body: str, article_id: UUID) -> ResolvedText:
    """Return a text rendered, with its mentions. Raises TextTooLarge."""
    return await resolve_document(session, await parse_text(body), article_id)


async def resolve_document(
    session: AsyncSession, document: Document, article_id: UUID
) -> ResolvedText:
    """Return a parsed text rendered, with its mentions. Raises TextTooLarge."""
    ats = parsing.find(document)
    people = []
    if ats:
        people = await queries.find_people(session, parsing.keys_of(ats), article_id)
    found, unresolved = parsing.resolve(document.source, ats, people)
    marks = [MentionMark(one.start, one.end, one.person.user_id) for one in found]
    html = await render_text(document, marks)
    return ResolvedText(document.source, html, found, unresolved, document.list_links())
