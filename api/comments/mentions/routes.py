"""HTTP for mentions in a text that is still being written: completion and preview."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.comments.mentions import parsing, queries
from api.comments.mentions.presenters import to_mention_preview
from api.comments.mentions.resolution import resolve_document
from api.comments.schemas import MentionPreview, MentionPreviewRead
from api.kit.dependencies import ReadSession
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.kit.text.names import name_key
from api.kit.text.rendering import TextTooLarge, parse_text
from api.users.schemas import PersonList, PersonRead

router = make_router("mentions")
users_router = make_router("users")

MAX_COMPLETIONS = 20

CommentWriter = Annotated[Actor, requires(Scope.COMMENTS_WRITE)]


@users_router.get("/users", dependencies=[limit(Action.USER_COMPLETE)])
async def complete_users(
    session: ReadSession,
    prefix: Annotated[
        str, Query(min_length=1, max_length=64, description="The text after the @ so far.")
    ],
    article: Annotated[
        UUID | None, Query(description="An article's id. People of its thread come first.")
    ] = None,
) -> PersonList:
    """Find people by prefix.

    For completion while typing: by the beginning of a handle or a display name.
    """
    users = await queries.find_people_by_prefix(
        session, name_key(prefix), article_id=article, limit=MAX_COMPLETIONS
    )
    return PersonList(data=[PersonRead.model_validate(user) for user in users])


@router.post(
    "/mentions/preview",
    responses=problems(ArticleNotFound, TextTooLarge),
    dependencies=[limit(Action.MENTION_PREVIEW)],
)
async def preview_mentions(
    body: MentionPreview, actor: CommentWriter, session: ReadSession
) -> MentionPreviewRead:
    """Preview the mentions of a text.

    Who would be notified, who would not, and why. Nothing is stored.
    """
    article_id = await articles.find_id(session, body.article)
    if article_id is None:
        raise ArticleNotFound
    document = await parse_text(body.body)
    text = await resolve_document(session, document, article_id)
    people = await queries.find_people_of_thread(session, article_id)
    suggestions = parsing.suggest(document, people)
    return to_mention_preview(actor, document.source, text.mentions, text.unresolved, suggestions)
