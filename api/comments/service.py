"""Replying, changing and taking back.

Each takes the article's row lock, so a thread changes one step at a time and its versions have no
gaps.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.articles import queries as articles
from api.articles.cached_reads import find_article_id
from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.comments import policy, queries
from api.comments.errors import CommentNotFound
from api.comments.events import CommentCreated, CommentDeleted, CommentEdited
from api.comments.mentions.resolution import ResolvedText, resolve_text
from api.comments.queries import NewComment
from api.comments.schemas import CommentCreate, CommentUpdate
from api.comments.visibility import is_visible
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.http.conditional import ExpectedRevision, Resource, check_revision
from api.kit.services import Services
from models import Comment


@dataclass(frozen=True, slots=True)
class Created:
    """A comment that was just made, how deep it stands, and the text it came from."""

    comment: NewComment
    depth: int
    text: ResolvedText


@dataclass(frozen=True, slots=True)
class Updated:
    """A comment that was just changed, and the text that it has now."""

    comment: Comment
    text: ResolvedText


async def create_comment(
    uow: UnitOfWork, services: Services, actor: Actor, article: str, body: CommentCreate
) -> Created:
    """Reply to an article, or to a comment under it.

    Raises ArticleNotFound, ParentNotFound, ParentElsewhere, ParentGone, ThreadTooDeep,
    ArticleLocked or TextTooLarge.
    """
    article_id = await find_article_id(services, article)
    text = await resolve_text(uow.session, body.body, article_id)

    version = await _advance(uow, actor, article_id, comments=1, replies=0 if body.parent_id else 1)
    comment = NewComment(
        id=make_id(),
        article_id=article_id,
        parent_id=body.parent_id,
        author_id=actor.id,
        body=text.source,
        html=text.html,
        mentions=text.mentions,
        version=version,
        created_at=uow.now,
    )
    depth = await queries.insert_comment(uow.session, comment)
    if depth is None:
        parent_id = body.parent_id
        parent = await queries.find_comment(uow.session, parent_id) if parent_id else None
        policy.refuse_parent(parent, article_id)
    uow.emit(
        CommentCreated(
            article_id=comment.article_id,
            version=version,
            comment_id=comment.id,
            parent_id=comment.parent_id,
            author_id=actor.id,
            mentioned_ids=_people_of(text),
        )
    )
    return Created(comment, depth, text)


async def update_comment(
    uow: UnitOfWork, actor: Actor, comment_id: UUID, body: CommentUpdate, expected: ExpectedRevision
) -> Updated:
    """Change the text of a comment; the same text again changes nothing.

    Raises CommentNotFound, NotYourComment, CommentGone, PreconditionFailed or TextTooLarge.
    """
    comment = await _get(uow, comment_id)
    policy.require_may_edit(actor, comment)
    check_revision(expected, Resource("comment", comment.id), comment.revision)
    text = await resolve_text(uow.session, body.body, comment.article_id)
    if text.source == comment.body:
        return Updated(comment, text)

    version = await _advance(uow, actor, comment.article_id)
    # Under the lock nothing in the thread moves any more: look again.
    comment = await _get(uow, comment_id)
    policy.require_may_edit(actor, comment)
    check_revision(expected, Resource("comment", comment.id), comment.revision)
    comment.body, comment.html, comment.edited_at = text.source, text.html, uow.now
    comment.version = version
    comment.revision += 1
    told_before = await queries.replace_mentions(uow.session, comment, text.mentions)
    uow.emit(
        CommentEdited(
            article_id=comment.article_id,
            version=comment.version,
            comment_id=comment.id,
            mentioned_ids=tuple(p for p in _people_of(text) if p not in told_before),
        )
    )
    return Updated(comment, text)


async def delete_comment(
    uow: UnitOfWork, actor: Actor, comment_id: UUID, expected: ExpectedRevision
) -> None:
    """Take a comment back: a tombstone while replies stand under it, gone from the tree otherwise.

    A tombstone above that held only this one leaves with it. Raises CommentNotFound,
    NotYourComment, CommentGone or PreconditionFailed.
    """
    comment = await _get(uow, comment_id)
    policy.state_after_delete(actor, comment)
    version = await _advance(uow, actor, comment.article_id, comments=-1)
    # Under the lock nothing in the thread moves any more: look again.
    comment = await _get(uow, comment_id)
    comment.state = policy.state_after_delete(actor, comment)
    check_revision(expected, Resource("comment", comment.id), comment.revision)
    comment.version = version
    comment.revision += 1
    unlisted = await _unlist(uow, comment)
    if unlisted and unlisted[-1].parent_id is None:
        await articles.count_replies(uow.session, comment.article_id, -1)
    uow.emit(
        CommentDeleted(
            article_id=comment.article_id,
            version=version,
            comment_id=comment.id,
            unlisted_ids=tuple(gone.id for gone in unlisted),
        )
    )


async def find_imported(uow: UnitOfWork, article_id: UUID) -> dict[str, UUID]:
    """Return the ids of an article's imported comments by their external ids."""
    return await queries.find_external_ids(uow.session, article_id)


async def open_import(
    uow: UnitOfWork, article_id: UUID, *, comments: int, roots: int, active_at: datetime | None
) -> int:
    """Take the thread's lock and one version for all comments to come, the last at `active_at`.

    Raises ArticleNotFound.
    """
    advanced = await articles.bump_version(
        uow.session, article_id, comments=comments, replies=roots, active_at=active_at
    )
    if advanced is None:
        raise ArticleNotFound
    return advanced[0]


async def import_comment(
    uow: UnitOfWork,
    *,
    article_id: UUID,
    external_id: str,
    parent_id: UUID | None,
    author_id: UUID | None,
    body: str,
    created_at: datetime,
    version: int,
) -> UUID | None:
    """Store a comment from elsewhere under the version of `open_import`; tell nobody.

    Return its id, or None when it cannot stand there. Raises TextTooLarge.
    """
    text = await resolve_text(uow.session, body, article_id)
    comment = NewComment(
        id=make_id(),
        article_id=article_id,
        parent_id=parent_id,
        author_id=author_id,
        external_id=external_id,
        body=text.source,
        html=text.html,
        mentions=text.mentions,
        version=version,
        created_at=created_at,
    )
    depth = await queries.insert_comment(uow.session, comment)
    return None if depth is None else comment.id


async def _unlist(uow: UnitOfWork, comment: Comment) -> list[Comment]:
    """Take a comment without replies out of the tree, and every tombstone that it alone held up.

    Return what left, from the comment upwards, and count it at every ancestor.
    """
    if comment.reply_count > 0:
        return []
    line = await queries.find_ancestors(uow.session, comment)
    unlisted = [comment]
    for ancestor in line:
        if is_visible(ancestor.state) or ancestor.reply_count > 1:
            break
        unlisted.append(ancestor)
    for one in unlisted:
        one.listed = False
        one.version = comment.version
    for distance, ancestor in enumerate(line, start=1):
        ancestor.descendant_count -= min(distance, len(unlisted))
        if distance <= len(unlisted):
            ancestor.reply_count -= 1
    return unlisted


async def _advance(
    uow: UnitOfWork, actor: Actor, article_id: UUID, *, comments: int = 0, replies: int = 0
) -> int:
    """Take the thread's lock and next version. Raises ArticleNotFound or ArticleLocked."""
    advanced = await articles.bump_version(
        uow.session,
        article_id,
        comments=comments,
        replies=replies,
        active_at=uow.now if comments > 0 else None,
    )
    if advanced is None:
        raise ArticleNotFound
    version, is_locked = advanced
    if comments > 0:
        policy.require_may_reply(actor, is_locked=is_locked)
    return version


async def _get(uow: UnitOfWork, comment_id: UUID) -> Comment:
    comment = await queries.find_comment(uow.session, comment_id)
    if comment is None:
        raise CommentNotFound
    return comment


def _people_of(text: ResolvedText) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(mention.person.user_id for mention in text.mentions))
