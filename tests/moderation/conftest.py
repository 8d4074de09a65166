"""A forum with a moderator, an author and a reader, and ways to decide and to report."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from api.kit.services import Services
from tests.client import Client, Person, expect


@dataclass
class Forum:
    """The people of a test."""

    client: Client
    services: Services
    moderator: Person
    author: Person
    reader: Person

    async def post(self, body: str = "I see.", parent: str | None = None) -> dict[str, Any]:
        """Let the author comment, under an article of their own."""
        article = (await self.author.post_article())["id"]
        return await self.author.reply(article, body, parent)

    async def act(
        self,
        action: str,
        *comments: str,
        by: Person | None = None,
        reason: str | None = "spam",
        etag: str = "*",
    ) -> list[dict[str, Any]]:
        """Decide about comments; return the results."""
        response = await self.ask(action, *comments, by=by, reason=reason, etag=etag)
        results: list[dict[str, Any]] = expect(response, 200)["data"]
        return results

    async def ask(
        self,
        action: str,
        *comments: str,
        by: Person | None = None,
        reason: str | None = "spam",
        etag: str = "*",
    ) -> httpx.Response:
        targets = [{"comment_id": comment, "etag": etag} for comment in comments]
        body = {"action": action, "reason": reason, "targets": targets}
        return await (by or self.moderator).client.post("/v1/moderation/actions", body)

    async def report(
        self, comment: str, by: Person | None = None, reason: str = "spam"
    ) -> httpx.Response:
        return await (by or self.reader).client.post(
            f"/v1/comments/{comment}/reports", {"reason": reason, "note": "See for yourself."}
        )

    async def queue(self, by: Person | None = None, **params: Any) -> list[dict[str, Any]]:
        response = await (by or self.moderator).client.get("/v1/moderation/queue", params=params)
        items: list[dict[str, Any]] = expect(response, 200)["data"]
        return items

    async def inspect(self, comment: str) -> dict[str, Any]:
        """Return what moderators see of a comment."""
        path = f"/v1/comments/{comment}/moderation"
        seen: dict[str, Any] = expect(await self.moderator.client.get(path), 200)
        return seen

    async def log(self, **params: Any) -> list[dict[str, Any]]:
        response = await self.moderator.client.get("/v1/moderation/log", params=params)
        entries: list[dict[str, Any]] = expect(response, 200)["data"]
        return entries


@pytest.fixture
async def forum(
    client: Client, services: Services, make_staff: Callable[[str], Awaitable[Person]]
) -> Forum:
    author, reader = await client.join("olga"), await client.join("anna")
    return Forum(client, services, await make_staff("moderator"), author, reader)
