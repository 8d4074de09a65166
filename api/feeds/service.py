"""Build feeds: the newest articles or comments, as far as they fit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.articles.queries import ArticleRow
from api.articles.schemas import ArticleSort
from api.comments import queries as comments
from api.comments.schemas import FlatOrder
from api.feeds.presenters import make_urn, to_article_entry, to_comment_entry
from api.kit.cache.pages import RenderedPage
from api.kit.links import make_link
from api.kit.services import Services
from api.kit.text.atom import Feed, write_feed
from models import User

MAX_ENTRIES = 50
# Bytes of the texts of articles. Lists of comments have a bound of their own.
MAX_BYTES = 1024 * 1024

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


async def build_articles(
    services: Services, *, tag: str | None, path: str, version: int | None
) -> RenderedPage:
    """Return the feed of the newest articles, of all or of a tag."""
    async with services.database.read_session() as session:
        listed = await articles.list_articles(
            session, sort=ArticleSort.NEW, tag=tag, author=None, after=None, limit=MAX_ENTRIES
        )
    settings = services.settings
    address = make_link(settings, path)
    query = {} if tag is None else {"tag": tag}
    rows = _take_fitting([one.row for one in listed.data])
    feed = Feed(
        id=make_urn(uuid5(NAMESPACE_URL, address)),
        title="Articles" if tag is None else f"Articles about {tag}",
        address=address,
        link=make_link(settings, "/v1/articles", **query),
        began=_BEGINNING,
        entries=[to_article_entry(settings, row) for row in rows],
    )
    return RenderedPage(version, write_feed(feed))


async def build_thread(services: Services, article_id: UUID) -> RenderedPage:
    """Return the feed of the newest comments on an article. Raises ArticleNotFound."""
    async with services.database.read_session() as session:
        # Before its comments: so they are not older than the version under which this is cached.
        row = await articles.find_article(session, article_id)
        if row is None:
            raise ArticleNotFound
        found = await comments.list_flat(
            session, article_id, order=FlatOrder.NEWEST, after=None, limit=MAX_ENTRIES
        )
    article, settings = row.article, services.settings
    feed = Feed(
        id=make_urn(uuid5(article_id, "comments")),
        title=f"Comments on {article.title}",
        address=make_link(settings, f"/v1/articles/{article.slug}/comments.atom"),
        link=article.url or make_link(settings, f"/v1/articles/{article.slug}"),
        began=article.created_at,
        entries=[to_comment_entry(settings, one) for one in found.data],
    )
    return RenderedPage(article.version, write_feed(feed))


async def write_person(services: Services, session: AsyncSession, user: User) -> bytes:
    """Return the feed of a person's newest comments."""
    found = await comments.list_by_author(session, user.id, after=None, limit=MAX_ENTRIES)
    settings = services.settings
    feed = Feed(
        id=make_urn(uuid5(user.id, "comments")),
        title=f"Comments by {user.display_name}",
        address=make_link(settings, f"/v1/users/{user.handle}/comments.atom"),
        link=make_link(settings, f"/v1/users/{user.handle}/comments"),
        began=user.created_at,
        entries=[to_comment_entry(settings, one) for one in found.data],
    )
    return write_feed(feed)


def _take_fitting(rows: Sequence[ArticleRow]) -> list[ArticleRow]:
    """Return the first articles, as far as their texts fit; one at least."""
    taken: list[ArticleRow] = []
    used = 0
    for row in rows:
        used += len(row.article.html.encode())
        if taken and used > MAX_BYTES:
            break
        taken.append(row)
    return taken
