"""The tutorial's way: FastAPI and SQLModel, an adjacency list, the whole tree built per request.

Written as the tutorials of both teach it: table models, public models beside them, a session as a
dependency, a response model that checks and serialises. All comments of an article come in one
query with their authors, by an index; nothing is slow on purpose. It reads the same rows as the
service, on the same HTTP server. Run as `python -m benchmarks.tutorial_app DATABASE_URL`.
"""

import sys
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from api.cli.server import listening, run_server
from api.kit.settings import Settings


class Base(SQLModel, registry=registry()):
    """Tables of their own: the HTTP server that runs this knows the service's by the same names."""

    metadata = MetaData()


class User(Base, table=True):
    """A person."""

    __tablename__ = "users"

    id: UUID = Field(primary_key=True)
    handle: str
    display_name: str
    avatar_url: str | None


class Article(Base, table=True):
    """An article."""

    __tablename__ = "articles"

    id: UUID = Field(primary_key=True)
    slug: str


class Comment(Base, table=True):
    """A comment; its parent is another one of the same article, or none."""

    __tablename__ = "comments"

    id: UUID = Field(primary_key=True)
    article_id: UUID = Field(foreign_key="articles.id")
    parent_id: UUID | None = Field(foreign_key="comments.id")
    author_id: UUID = Field(foreign_key="users.id")
    listed: bool
    depth: int
    body: str
    html: str
    state: str
    up: int
    down: int
    score: int
    reply_count: int
    descendant_count: int
    version: int
    created_at: datetime
    edited_at: datetime | None


class UserPublic(SQLModel):
    """An author, as shown."""

    id: UUID
    handle: str
    display_name: str
    avatar_url: str | None


class CommentPublic(SQLModel):
    """A comment with the replies to it, as shown."""

    id: UUID
    article_id: UUID
    parent_id: UUID | None
    depth: int
    author: UserPublic
    body: str
    html: str
    state: str
    up: int
    down: int
    score: int
    reply_count: int
    descendant_count: int
    version: int
    created_at: datetime
    edited_at: datetime | None
    replies: list["CommentPublic"] = []


engine = create_async_engine(sys.argv[1])
app = FastAPI()


async def get_session() -> AsyncGenerator[AsyncSession]:
    """Give a request its session."""
    async with AsyncSession(engine) as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


@app.get("/articles/{slug}/comments")
async def read_comments(slug: str, session: SessionDep) -> list[CommentPublic]:
    """Read the whole tree of an article."""
    article = (await session.exec(select(Article).where(Article.slug == slug))).first()
    if article is None:
        raise HTTPException(status_code=404, detail="Article not found")
    statement = (
        select(Comment, User)
        .join(User, col(User.id) == col(Comment.author_id))
        .where(Comment.article_id == article.id, col(Comment.listed))
        .order_by(col(Comment.created_at))
    )
    nodes: dict[UUID, CommentPublic] = {}
    roots: list[CommentPublic] = []
    for comment, author in await session.exec(statement):
        node = CommentPublic(**comment.model_dump(), author=UserPublic(**author.model_dump()))
        nodes[comment.id] = node
        siblings = nodes[comment.parent_id].replies if comment.parent_id else roots
        siblings.append(node)
    return roots


if __name__ == "__main__":
    settings = Settings()
    with listening(settings) as socket:
        run_server(app, socket, "The tutorial server is ready.", settings)
