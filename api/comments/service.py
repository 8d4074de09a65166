"""Create, edit and delete comments.

Each use case takes the article's row lock, so a thread changes one step at a time and its versions
have no gaps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.articles import queries as articles
from api.articles.cached_reads import find_article_id
from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.comments import lifecycle, policy, queries
from api.comments.errors import CommentNotFound, SlowMode
from api.comments.events import (
    CommentCreated,
    CommentEdited,
    CommentHeld,
    RemovedByDelete,
    ReviewRequested,
)
from api.comments.mentions.queries import replace_mentions
from api.comments.mentions.recipients import find_recipient_ids
from api.comments.mentions.resolution import ResolvedText, resolve_text
from api.comments.queries import NewComment
from api.comments.schemas import CommentCreate, CommentUpdate
from api.comments.screening import load_candidate
from api.comments.visibility import is_visible
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.http.conditional import ExpectedRevision, Resource, check_revision
from api.kit.services import Services
from api.screening import service as screening
from api.screening.errors import CommentRejected
from api.screening.verdict import PUBLISHED, Finding, Verdict
from models import Comment, CommentState, Outcome


@dataclass(frozen=True, slots=True)
class Created:
    """A comment that was just created, its depth, the text it came from, and its verdict."""

    comment: NewComment
    depth: int
    text: ResolvedText
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Updated:
    """A comment that was just changed, the text that it has now, and the verdict on it."""

    comment: Comment
    text: ResolvedText
    verdict: Verdict


async def create_comment(
    uow: UnitOfWork,
    services: Services,
    actor: Actor,
    article: str,
    body: CommentCreate,
    *,
    external: Sequence[Finding] = (),
) -> Created:
    """Reply to an article, or to a comment under it; a reply that screening holds is pending.

    `external` is what services outside say of the text. Raises ArticleNotFound, ParentNotFound,
    ParentElsewhere, ParentGone, ThreadTooDeep, ArticleLocked, ArticleClosed, MembersOnly, SlowMode,
    CommentRejected or TextTooLarge.
    """
    article_id = await find_article_id(services, article)
    actor = await articles.place_actor(uow.session, actor, article_id)
    text = await resolve_text(uow.session, body.body, article_id)
    verdict = await _screen(uow, services, actor, text, article_id=article_id, external=external)
    state = CommentState.PENDING if verdict.outcome is Outcome.HOLD else CommentState.VISIBLE

    version = await _open_reply(uow, actor, article_id, parent_id=body.parent_id, state=state)
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
        state=state,
        is_shadowed=verdict.is_shadow_ban,
    )
    depth = await queries.insert_comment(uow.session, comment)
    if depth is None:
        parent_id = body.parent_id
        parent = await queries.find_comment(uow.session, parent_id) if parent_id else None
        policy.refuse_parent(parent, article_id)
    await _record_verdict(uow, verdict, comment, revision=1)
    if not is_visible(state):
        uow.emit(
            CommentHeld(
                article_id=article_id, version=version, comment_id=comment.id, author_id=actor.id
            )
        )
        return Created(comment, depth, text, verdict)
    uow.emit(
        CommentCreated(
            article_id=comment.article_id,
            version=version,
            comment_id=comment.id,
            parent_id=comment.parent_id,
            author_id=actor.id,
            mentioned_ids=find_recipient_ids(actor.id, text.mentions),
        )
    )
    return Created(comment, depth, text, verdict)


async def update_comment(
    uow: UnitOfWork,
    services: Services,
    actor: Actor,
    comment_id: UUID,
    body: CommentUpdate,
    expected: ExpectedRevision,
    *,
    external: Sequence[Finding] = (),
) -> Updated:
    """Change the text of a comment, and keep the one before; the same text again changes nothing.

    A text that screening holds hides the comment; an edit never publishes one. Raises
    CommentNotFound, NotYourComment, CommentGone, PreconditionFailed, CommentRejected or
    TextTooLarge.
    """
    comment = await get_comment(uow.session, comment_id, actor)
    policy.require_may_edit(actor, comment)
    check_revision(expected, Resource("comment", comment.id), comment.revision)
    text = await resolve_text(uow.session, body.body, comment.article_id)
    if text.source == comment.body:
        return Updated(comment, text, PUBLISHED)
    actor = await articles.place_actor(uow.session, actor, comment.article_id)
    verdict = await _screen(
        uow,
        services,
        actor,
        text,
        article_id=comment.article_id,
        comment_id=comment.id,
        external=external,
    )

    version = await _bump_version(uow, comment.article_id)
    # Nobody else changes the thread any more: check again.
    comment = await get_comment(uow.session, comment_id, actor)
    policy.require_may_edit(actor, comment)
    check_revision(expected, Resource("comment", comment.id), comment.revision)
    queries.add_revision(uow.session, comment, edited_by=actor.id, now=uow.now)
    comment.body, comment.html, comment.edited_at = text.source, text.html, uow.now
    comment.version = version
    comment.revision += 1
    mentioned_before = await replace_mentions(uow.session, comment, text.mentions)
    # Not so for an author with a shadow ban, who edits what nobody else sees.
    is_shown = is_visible(comment.state)
    is_held = verdict.outcome is Outcome.HOLD
    uow.emit(
        CommentEdited(
            article_id=comment.article_id,
            version=comment.version,
            comment_id=comment.id,
            mentioned_ids=tuple(
                user_id
                for user_id in find_recipient_ids(actor.id, text.mentions)
                if user_id not in mentioned_before and is_shown and not is_held
            ),
            is_visible=is_shown and not is_held,
        )
    )
    await _record_verdict(uow, verdict, comment, revision=comment.revision)
    if is_held and is_shown:
        await _hide(uow, comment, is_shadowed=verdict.is_shadow_ban)
    return Updated(comment, text, verdict)


async def delete_comment(
    uow: UnitOfWork, actor: Actor, comment_id: UUID, expected: ExpectedRevision
) -> None:
    """Delete a comment as its author, or remove it as a moderator.

    It becomes a placeholder while it has replies, and leaves the tree otherwise. Raises
    CommentNotFound, NotYourComment, CommentGone, PreconditionFailed or ArticleNotFound.
    """
    comment = await get_comment(uow.session, comment_id, actor)
    actor = await articles.place_actor(uow.session, actor, comment.article_id)
    after = policy.get_state_after_delete(actor, comment)
    thread = await lifecycle.lock_comments(uow, comment.article_id, [comment_id])
    lifecycle.require_allowed(thread, after)
    revision = thread.comments[comment_id].revision
    check_revision(expected, Resource("comment", comment_id), revision)
    await lifecycle.change_states(uow, thread, after)
    if comment.author_id != actor.id:
        uow.emit(
            RemovedByDelete(
                comment_id=comment_id,
                article_id=comment.article_id,
                author_id=comment.author_id,
                moderator_id=actor.id,
                state=thread.comments[comment_id].state,
                revision=revision + 1,
            )
        )


async def get_comment(session: AsyncSession, comment_id: UUID, actor: Actor) -> Comment:
    """Return a comment that the public or the actor sees. Raises CommentNotFound."""
    shadow_banned_id = actor.id if policy.is_shadow_banned(actor) else None
    comment = await queries.find_comment(
        session, comment_id, viewer_id=actor.id, shadow_banned_id=shadow_banned_id
    )
    if comment is None:
        raise CommentNotFound
    return comment


async def _open_reply(
    uow: UnitOfWork, actor: Actor, article_id: UUID, *, parent_id: UUID | None, state: CommentState
) -> int:
    """Lock the thread for a new comment, and count it if it is visible; return the next version.

    Raises ArticleNotFound, ArticleLocked, ArticleClosed, MembersOnly or SlowMode.
    """
    comments = int(is_visible(state))
    bumped = await articles.bump_version(
        uow.session,
        article_id,
        comments=comments,
        replies=comments if parent_id is None else 0,
        active_at=uow.now if comments else None,
    )
    if bumped is None:
        raise ArticleNotFound
    policy.require_may_reply(actor, bumped, uow.now)
    if policy.is_slowed_down(actor, bumped.slow_mode_seconds):
        await _take_turn(uow, actor, article_id, timedelta(seconds=bumped.slow_mode_seconds))
    return bumped.version


async def _take_turn(uow: UnitOfWork, actor: Actor, article_id: UUID, interval: timedelta) -> None:
    """Note that the actor comments under an article in slow mode. Raises SlowMode."""
    last_at = await queries.take_turn(
        uow.session, article_id, actor.id, now=uow.now, interval=interval
    )
    if last_at is not None:
        wait = math.ceil((last_at + interval - uow.now).total_seconds())
        raise SlowMode(headers=(("Retry-After", str(wait)),))


async def _bump_version(uow: UnitOfWork, article_id: UUID) -> int:
    """Lock the thread and return its next version. Raises ArticleNotFound."""
    bumped = await articles.bump_version(uow.session, article_id)
    if bumped is None:
        raise ArticleNotFound
    return bumped.version


async def _screen(
    uow: UnitOfWork,
    services: Services,
    actor: Actor,
    text: ResolvedText,
    *,
    article_id: UUID,
    comment_id: UUID | None = None,
    external: Sequence[Finding],
) -> Verdict:
    """Return what becomes of a text. Raises CommentRejected; the decision is stored."""
    candidate = await load_candidate(
        uow.session,
        actor,
        text,
        article_id=article_id,
        comment_id=comment_id,
        external=external,
        now=uow.now,
    )
    verdict = await screening.screen(services, uow.session, candidate)
    if verdict.outcome is Outcome.REJECT:
        await screening.record(
            uow, verdict, comment_id=comment_id, article_id=article_id, author_id=actor.id
        )
        screening.refuse(uow, verdict, CommentRejected)
    return verdict


async def _record_verdict(
    uow: UnitOfWork, verdict: Verdict, comment: NewComment | Comment, *, revision: int
) -> None:
    """Store what was found in a comment that was stored, and let moderators know of it."""
    if not verdict.findings:
        return
    await screening.record(
        uow,
        verdict,
        comment_id=comment.id,
        article_id=comment.article_id,
        author_id=comment.author_id,
        revision=revision,
    )
    if not verdict.is_shadow_ban:
        uow.emit(
            ReviewRequested(
                article_id=comment.article_id,
                comment_ids=(comment.id,),
                is_held=verdict.outcome is Outcome.HOLD,
            )
        )


async def _hide(uow: UnitOfWork, comment: Comment, *, is_shadowed: bool) -> None:
    """Hide a comment whose new text is held; its thread is locked already."""
    await uow.session.flush()
    thread = await lifecycle.lock_comments(uow, comment.article_id, [comment.id])
    await lifecycle.change_states(uow, thread, CommentState.HIDDEN, is_shadowed=is_shadowed)
    await uow.session.refresh(comment)
