"""HTTP for votes, and for what depends on who looks."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncSession

from api.articles import policy as articles_policy
from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.articles.routes import ArticleRef, ArticleTurn
from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.policy import may_moderate
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.comments import policy as comments_policy
from api.comments import queries as comments
from api.comments.errors import CommentGone, CommentNotFound
from api.comments.own_comments import list_own_pending
from api.comments.schemas import CommentId
from api.comments.unread.queries import find_read_states
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.cacheability import private_response
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.votes import queries, service
from api.votes.errors import OwnVote
from api.votes.schemas import CommentVoteRead, ViewerRead, VotePut, VoteRead
from models import Article, ArticleVote

router = make_router("votes")

Viewer = Annotated[Actor, requires(Scope.VOTES_READ)]
Voter = Annotated[Actor, requires(Scope.VOTES_WRITE)]

MAX_VOTES = 5000
# Ids in one request: a URL has at most 8 KiB.
MAX_IDS = 100


@router.put(
    "/comments/{comment_id}/vote",
    responses=problems(CommentNotFound, CommentGone, OwnVote),
    dependencies=[limit(Action.VOTE)],
)
async def vote_on_comment(
    comment_id: CommentId, body: VotePut, actor: Voter, uow: UowDep
) -> VoteRead:
    """Vote on a comment.

    The same vote again changes nothing.
    """
    return await service.vote_on_comment(uow, actor, comment_id, body.value)


@router.put(
    "/articles/{article}/vote",
    responses=problems(ArticleNotFound, OwnVote),
    dependencies=[limit(Action.VOTE), ArticleTurn],
)
async def vote_on_article(
    article: ArticleRef, body: VotePut, actor: Voter, uow: UowDep
) -> VoteRead:
    """Vote on an article.

    The same vote again changes nothing.
    """
    return await service.vote_on_article(uow, actor, article, body.value)


@router.get("/articles/{article}/viewer", responses=problems(ArticleNotFound))
@private_response
async def read_viewer(
    article: ArticleRef,
    actor: Viewer,
    session: ReadSession,
    services: ServicesDep,
    comment_ids: Annotated[
        list[UUID] | None,
        Query(max_length=MAX_IDS, description="Only your votes on these comments; repeat it."),
    ] = None,
) -> ViewerRead:
    """Get what depends on the reader.

    Your votes in the thread, what you have read of it, what you may do there, and your comments
    that wait for a moderator.
    """
    row = await articles.find_article(session, article)
    if row is None:
        raise ArticleNotFound
    article_id: UUID = row.article.id
    actor = actor.at(article_id, row.tags)
    votes = await queries.find_comment_votes(
        session, actor.id, article_id, comment_ids=comment_ids, limit=MAX_VOTES
    )
    read_states = await find_read_states(session, actor.id, [article_id])
    read_state = read_states[0] if read_states else None
    return ViewerRead(
        article_id=article_id,
        article_vote=await queries.find_vote(
            session, ArticleVote, user_id=actor.id, article_id=article_id
        ),
        pending_comments=await list_own_pending(session, actor, article_id),
        comment_votes=[CommentVoteRead(comment_id=id_, value=value) for id_, value in votes],
        read_version=read_state and read_state.read_version,
        new_comment_count=read_state and read_state.new_comment_count,
        may_reply=comments_policy.may_reply(actor, row.article, services.clock.now()),
        may_reply_at=await _find_next_turn(session, actor, row.article, services.clock.now()),
        may_edit_article=articles_policy.may_edit(actor, row.article),
        may_moderate=may_moderate(actor, Scope.COMMENTS_MODERATE),
    )


async def _find_next_turn(
    session: AsyncSession, actor: Actor, article: Article, now: datetime
) -> datetime | None:
    """Return when slow mode lets the actor reply again; None when it does now."""
    if not comments_policy.is_slowed_down(actor, article.slow_mode_seconds):
        return None
    last_at = await comments.find_turn(session, article.id, actor.id)
    if last_at is None:
        return None
    next_at = last_at + timedelta(seconds=article.slow_mode_seconds)
    return next_at if next_at > now else None
