"""The data that is measured on: articles of many sizes with random threads, by COPY.

The same seed makes the same rows, ids included. Counters and lines of ancestors are as the service
would have kept them, so its own checks hold on this data.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from random import Random
from uuid import UUID

import asyncpg

from api.kit.text.names import name_key
from api.users.handles import handle_skeleton
from benchmarks.shapes import ROOT, Bounds, Shape, make_shape
from benchmarks.texts import Person, Text, make_texts

SEED = 20_260_101
PEOPLE = 400
SMALL_ARTICLES = 1000
FRESH_ARTICLES = 8
# Of a thread of 1,000 that one response can hold: at most 200 roots, 100 replies a node, 10 levels.
WHOLE = Bounds(depth=9, roots=200, replies=100)

_MENTIONING = 0.05
_EDITED = 0.03
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
# Seconds over which each thread was written.
_LASTED = 30 * 86_400
_LINES = 1000

_PERSON_COLUMNS = ("id", "handle", "display_name", "name_key", "created_at", "updated_at")
_HANDLE_COLUMNS = ("handle", "skeleton", "user_id", "created_at")
_ARTICLE_COLUMNS = (
    *("id", "slug", "title", "body", "html", "author_id"),
    *("version", "comment_count", "reply_count", "created_at", "last_activity_at"),
)
_COMMENT_COLUMNS = (
    *("id", "article_id", "parent_id", "ancestor_ids", "depth", "author_id", "external_id"),
    *("body", "html", "mention_count", "state", "listed", "up", "down", "reply_count"),
    *("descendant_count", "version", "revision", "created_at", "edited_at"),
)
_MENTION_COLUMNS = ("comment_id", "start_offset", "end_offset", "user_id", "text")

_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


@dataclass(frozen=True, slots=True)
class Plan:
    """An article to seed."""

    slug: str
    size: int
    bounds: Bounds | None = None


def slug_of(size: int) -> str:
    """Return the slug of the article of so many comments."""
    return f"bench-{size}"


def make_plans(sizes: Iterable[int]) -> list[Plan]:
    """Return every article: one of each size, those with a purpose, and many small ones."""
    random = Random(SEED)
    return [
        *(Plan(slug_of(size), size) for size in sizes),
        Plan("bench-whole", 1000, WHOLE),
        Plan("bench-hot", 500),
        Plan("bench-recorded", 40),
        *(Plan(f"bench-fresh-{number}", 50) for number in range(FRESH_ARTICLES)),
        *(
            Plan(f"bench-small-{number}", random.randint(20, 60))
            for number in range(SMALL_ARTICLES)
        ),
    ]


async def seed(connection: asyncpg.Connection, plans: Iterable[Plan]) -> None:
    """Fill an empty, migrated database; the connection must be a superuser's."""
    random = Random(SEED)
    # What is written refers to what is written in the same run: checking a million references one
    # by one would take longer than the rest.
    await connection.execute("SET session_replication_role = replica")
    people = [
        Person(UUID(make_id_text(random, _BEGAN)), f"writer-{number}") for number in range(PEOPLE)
    ]
    await _copy_people(connection, people)
    thread = _Thread(random, people)
    for plan in plans:
        await _seed_article(connection, thread, plan)
    # So that no autovacuum starts while something is measured.
    await connection.execute("VACUUM ANALYZE")


async def _copy_people(connection: asyncpg.Connection, people: list[Person]) -> None:
    at = _time_text(_BEGAN)
    names = [(person, person.handle.replace("-", " ").title()) for person in people]
    users = (
        (str(person.id), person.handle, name, name_key(name), at, at) for person, name in names
    )
    handles = (
        (person.handle, handle_skeleton(person.handle), str(person.id), at) for person in people
    )
    await _copy(connection, "users", _PERSON_COLUMNS, users)
    await _copy(connection, "handles", _HANDLE_COLUMNS, handles)


async def _seed_article(connection: asyncpg.Connection, thread: "_Thread", plan: Plan) -> None:
    random = thread.random
    article_id = make_id_text(random, _BEGAN)
    shape = make_shape(random, plan.size, plan.bounds)
    row = (
        article_id,
        plan.slug,
        f"An article of {plan.size} comments",
        "Text.",
        "<p>Text.</p>",
        str(random.choice(thread.people).id),
        str(plan.size),
        str(plan.size),
        str(shape.roots),
        _time_text(_BEGAN),
        _time_text(_BEGAN + _LASTED),
    )
    await _copy(connection, "articles", _ARTICLE_COLUMNS, [row])
    mentions: list[tuple[str, ...]] = []
    rows = thread.make_rows(article_id, shape, mentions.append)
    await _copy(connection, "comments", _COMMENT_COLUMNS, rows)
    await _copy(connection, "comment_mentions", _MENTION_COLUMNS, mentions)


class _Thread:
    """Makes the rows of threads out of one pool of people and texts."""

    def __init__(self, random: Random, people: list[Person]) -> None:
        self.random = random
        self.people = people
        plain, mentioning = make_texts(random, people)
        self._plain = [_escape(text) for text in plain]
        self._mentioning = [_escape(text) for text in mentioning]

    def make_rows(
        self, article_id: str, shape: Shape, mention: Callable[[tuple[str, ...]], None]
    ) -> Iterator[tuple[str, ...]]:
        """Yield the columns of each comment; hand on what stands in comment_mentions."""
        random = self.random.random
        step = _LASTED / len(shape.parents)
        people = [str(person.id) for person in self.people]
        ids: list[str] = []
        for index, parent in enumerate(shape.parents):
            at = _BEGAN + index * step
            comment_id = make_id_text(self.random, at)
            ids.append(comment_id)
            pool = self._mentioning if random() < _MENTIONING else self._plain
            text = pool[int(random() * len(pool))]
            if text.mention is not None:
                start, end, user_id, words = text.mention
                mention((comment_id, str(start), str(end), str(user_id), words))
            # Few comments get many votes, and most of them are kind.
            votes = int(4 * random() ** -0.6) - 4
            down = int(votes * random() ** 3)
            yield (
                comment_id,
                article_id,
                _NULL if parent == ROOT else ids[parent],
                "{" + ",".join([ids[one] for one in shape.line_of(index)]) + "}",
                str(shape.depths[index]),
                people[int(random() * len(people))],
                _NULL,
                text.body,
                text.html,
                "0" if text.mention is None else "1",
                "visible",
                "t",
                str(votes - down),
                str(down),
                str(shape.reply_counts[index]),
                str(shape.descendant_counts[index]),
                str(index + 1),
                "1",
                _time_text(at),
                _time_text(at + 60) if random() < _EDITED else _NULL,
            )


def make_id_text(random: Random, at: float) -> str:
    """Return a UUIDv7 (RFC 9562) of a moment, in seconds since 1970."""
    bits = random.getrandbits(74)
    high = f"{int(at * 1000):012x}7{bits >> 62:03x}"
    low = f"{0x8000000000000000 | bits & 0x3FFFFFFFFFFFFFFF:016x}"
    return f"{high[:8]}-{high[8:12]}-{high[12:]}-{low[:4]}-{low[4:]}"


async def _copy(
    connection: asyncpg.Connection,
    table: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
) -> None:
    """Send rows in PostgreSQL's text format: a third faster here than asyncpg's binary one."""
    await connection.copy_to_table(table, source=_encode(iter(rows)), columns=columns)


async def _encode(rows: Iterator[tuple[str, ...]]) -> AsyncIterator[bytes]:
    while batch := list(islice(rows, _LINES)):
        yield ("\n".join(map("\t".join, batch)) + "\n").encode()


def _escape(text: Text) -> Text:
    return Text(text.body.translate(_ESCAPES), text.html.translate(_ESCAPES), text.mention)


def _time_text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
