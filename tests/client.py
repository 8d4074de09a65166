"""A client as a frontend developer would write one: people who register, log in, post and reply."""

import itertools
from dataclasses import dataclass
from typing import Any

import httpx

from api.accounts.schemas import UserCreate
from api.kit.services import Services
from models import Role
from tests.people import PASSWORD, sign_up_and_log_in

_numbers = itertools.count(1)


class Client:
    """HTTP, with or without a person's credentials.

    With the services of an app in this process, people join it without the work of a password.
    """

    def __init__(
        self, http: httpx.AsyncClient, token: str | None = None, services: Services | None = None
    ) -> None:
        self.http = http
        self.services = services
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.request("POST", path, json=json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.request("PUT", path, json=json, **options)

    async def patch(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.request("PATCH", path, json=json, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("DELETE", path, **options)

    async def join(
        self, handle: str | None = None, *, role: Role = Role.MEMBER, **fields: Any
    ) -> "Person":
        """Create an account and log in."""
        handle = handle or f"person-{next(_numbers)}"
        body = {"handle": handle, "email": f"{handle}@example.com", "password": PASSWORD, **fields}
        if self.services is not None:
            user, tokens = await sign_up_and_log_in(
                self.services, UserCreate.model_validate(body), role=role
            )
            return Person(Client(self.http, tokens["access_token"], self.services), user, tokens)
        user = expect(await self.post("/v1/users", body), 201)
        return await self.log_in(user["handle"], user)

    async def log_in(self, handle: str, user: dict[str, Any] | None = None) -> "Person":
        tokens = expect(
            await self.post("/v1/sessions", {"login": handle, "password": PASSWORD}), 201
        )
        return Person(Client(self.http, tokens["access_token"], self.services), user or {}, tokens)

    async def tree(self, article: str, **params: Any) -> dict[str, Any]:
        return expect(await self.get(f"/v1/articles/{article}/comments", params=params), 200)


@dataclass
class Person:
    """Somebody who is logged in."""

    client: Client
    user: dict[str, Any]
    tokens: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.user["id"])

    @property
    def handle(self) -> str:
        return str(self.user["handle"])

    async def post_article(self, title: str = "On docking ports", **fields: Any) -> dict[str, Any]:
        return expect(
            await self.client.post("/v1/articles", {"title": title, "body": "Text.", **fields}), 201
        )

    async def reply(
        self, article: str, body: str = "I see.", parent: str | None = None
    ) -> dict[str, Any]:
        response = await self.client.post(
            f"/v1/articles/{article}/comments", {"body": body, "parent_id": parent}
        )
        return expect(response, 201)

    async def edit(self, comment: str, body: str) -> httpx.Response:
        seen = await self.client.get(f"/v1/comments/{comment}")
        return await self.client.patch(
            f"/v1/comments/{comment}", {"body": body}, headers={"If-Match": seen.headers["etag"]}
        )

    async def take_back(self, comment: str) -> httpx.Response:
        seen = await self.client.get(f"/v1/comments/{comment}")
        return await self.client.delete(
            f"/v1/comments/{comment}", headers={"If-Match": seen.headers["etag"]}
        )

    async def edit_anyway(self, comment: str, body: str) -> httpx.Response:
        """Edit without having looked."""
        return await self.client.patch(
            f"/v1/comments/{comment}", {"body": body}, headers={"If-Match": "*"}
        )

    async def take_back_anyway(self, comment: str) -> httpx.Response:
        """Take back without having looked."""
        return await self.client.delete(f"/v1/comments/{comment}", headers={"If-Match": "*"})


def expect(response: httpx.Response, status: int) -> Any:
    """Return the body of an answer that has this status."""
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    return response.json() if response.content else None


def expect_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem of an answer that has this status and code."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem: dict[str, Any] = expect(response, status)
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


def flatten(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all nodes of a tree, parents before children."""
    found: list[dict[str, Any]] = []
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(reversed(node["replies"]["data"]))
    return found
