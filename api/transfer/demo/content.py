"""The people and threads of the demo, as they are in the package."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.accounts.schemas import UserCreate
from api.articles.schemas import ArticleCreate
from api.comments.schemas import Body

# Everybody may know it: the demo's people have no rights beyond writing.
PASSWORD = "palaver demo password"  # noqa: S105

Votes = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


class DemoComment(BaseModel):
    """A comment; `replies_to` is the number of an earlier one, `votes` how many up and down."""

    model_config = ConfigDict(extra="forbid")

    n: int
    replies_to: int | None = None
    author: str
    votes: Votes = (0, 0)
    body: Body


class DemoThread(BaseModel):
    """An article and the comments under it."""

    model_config = ConfigDict(extra="forbid")

    title: str
    author: str
    tags: list[str]
    days_ago: int
    votes: Votes
    body: str
    comments: list[DemoComment]


@dataclass(frozen=True, slots=True)
class DemoContent:
    """What the demo adds: people by handle, threads by the article's external id."""

    people: dict[str, UserCreate]
    threads: dict[str, DemoThread]


def load_content() -> DemoContent:
    """Return the demo's people and threads."""
    folder = files("api.transfer.demo")
    people = {
        person["handle"]: UserCreate(
            handle=person["handle"],
            email=f"{person['handle']}@example.com",
            password=PASSWORD,
            display_name=person["name"],
        )
        for person in tomllib.loads((folder / "people.toml").read_text("utf-8"))["people"]
    }
    threads = {
        f"demo:{path.name.removesuffix('.toml')}": DemoThread.model_validate(
            tomllib.loads(path.read_text("utf-8"))
        )
        for path in sorted((folder / "threads").iterdir(), key=lambda path: path.name)
    }
    return DemoContent(people, threads)


def to_article(external_id: str, thread: DemoThread) -> ArticleCreate:
    """Return the article of a thread, as a client would post it."""
    return ArticleCreate(
        title=thread.title, body=thread.body, tags=thread.tags, external_id=external_id
    )
