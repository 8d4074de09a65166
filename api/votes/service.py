"""Vote, and publish the scores."""

import random
from uuid import UUID

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.comments import queries as comments
from api.comments.policy import get_state_for
from api.comments.service import get_comment
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.services import Services
from api.votes import policy, queries
from api.votes.events import ScoresChanged
from api.votes.schemas import VoteRead
from models import ArticleVote, CommentVote

# Articles looked up at once; each is a transaction of its own.
_BATCH = 500


async def vote_on_comment(uow: UnitOfWork, actor: Actor, comment_id: UUID, value: int) -> VoteRead:
    """Vote on a comment. Raises CommentNotFound, CommentGone or OwnVote.

    The comment's row lock makes its voters take turns; the thread's lock is not touched.
    """
    comment = await comments.lock_comment(uow.session, comment_id)
    if comment is None:
        # One that only its author sees, who cannot vote on it.
        comment = await get_comment(uow.session, comment_id, actor)
    policy.require_may_vote(actor, comment.author_id, get_state_for(actor, comment))
    vote = CommentVote(
        user_id=actor.id,
        article_id=comment.article_id,
        comment_id=comment.id,
        value=value,
        voted_at=uow.now,
    )
    up, down = await _replace(uow, vote)
    sums = comment.up, comment.down
    if up or down:
        sums = await comments.count_votes(uow.session, comment.id, up=up, down=down)
        await queries.mark_changed(uow.session, comment.id, comment.article_id)
    return _read(sums, value)


async def vote_on_article(uow: UnitOfWork, actor: Actor, ref: str, value: int) -> VoteRead:
    """Let a vote on an article stand. Raises ArticleNotFound or OwnVote."""
    article = await articles.lock_article(uow.session, articles.refers_to(ref))
    if article is None:
        raise ArticleNotFound
    policy.require_may_vote(actor, article.author_id)
    vote = ArticleVote(user_id=actor.id, article_id=article.id, value=value, voted_at=uow.now)
    up, down = await _replace(uow, vote)
    sums = article.up, article.down
    if up or down:
        sums = await articles.count_votes(uow.session, article.id, up=up, down=down)
        await queries.mark_changed(uow.session, article.id, article.id)
    return _read(sums, value)


async def publish_scores(services: Services) -> bool:
    """Give every thread with new scores one new version for all of them.

    Return whether there may be more. Workers share the threads: each is claimed for a transaction,
    and one that another worker has is left to it.
    """
    async with services.database.read_session() as session:
        changed = await queries.find_changed_articles(session, limit=_BATCH)
    random.shuffle(changed)  # so that workers do not all begin with the same
    published = 0
    for article_id in changed:
        async with services.unit_of_work() as uow:
            if await queries.claim_changes(uow.session, article_id):
                await _publish_scores_of(uow, article_id)
                published += 1
    return published == _BATCH


async def _replace(uow: UnitOfWork, vote: ArticleVote | CommentVote) -> tuple[int, int]:
    """Store the vote, which replaces the one before; return what that adds to up and down."""
    before = await queries.find_vote(uow.session, type(vote), **queries.key_of(vote))
    if vote.value != before:
        await queries.put_vote(uow.session, vote)
    return (vote.value == 1) - (before == 1), (vote.value == -1) - (before == -1)


async def _publish_scores_of(uow: UnitOfWork, article_id: UUID) -> None:
    """Show the scores of one thread.

    Locks are taken in the order article, comments, changes. A voter takes the last two in the same
    order, so a vote is either in the sums before they are shown, or notes its change anew.
    """
    article = await articles.lock_article(uow.session, articles.refers_to(article_id))
    changed = await queries.find_changes(uow.session, article_id)
    bumped = None
    if article is not None and changed:
        bumped = await articles.bump_version(uow.session, article_id)
    if bumped is not None:
        version = bumped.version
        comment_ids = await comments.set_version(uow.session, changed, version)
        uow.emit(ScoresChanged(article_id=article_id, version=version, comment_ids=comment_ids))
    await queries.delete_changes(uow.session, changed)


def _read(sums: tuple[int, int], value: int) -> VoteRead:
    up, down = sums
    return VoteRead(up=up, down=down, score=up - down, value=value)
