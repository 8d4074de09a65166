"""What fuzzing needs: a served app, things in it that requests can hit, and what every answer owes.

Invented ids lead nowhere, and a request that ends with 404 says little. So most requests are
steered: their ids, credentials and tags are put in place of the invented ones, chosen by the
invented value itself, so that the same seed asks the same questions.
"""

import asyncio
import copy
import itertools
import re
import threading
import time
import zlib
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import requests
import uvicorn
from fastapi import FastAPI
from schemathesis import Case, CheckContext, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.kit.signing import Signer
from api.mail.unsubscribing import Unsubscription, make_token
from models import NotificationKind
from tests.client import PASSWORD
from tests.conftest import SECRET
from tests.connections import EMPTY_TABLES, connect_arguments
from tests.streams import hanging_up

# Seconds that the server has to start and to stop.
PATIENCE = 30
# Of ten invented values, how many are replaced.
MOST = 8
# What moderators are asked for; of ten such requests, how many a moderator sends.
OF_STAFF = re.compile(r"^/v1/(?!me/).*/(moderation|moderators|sanctions|appeals|settings)\b")
MOST_OF_STAFF = 8
# What moderators change for everybody, as it was: fuzzed rules would refuse whatever comes next.
RESTORE = """
SET session_replication_role = replica;
DELETE FROM screening_rules; DELETE FROM screening_settings; DELETE FROM tag_settings;
DELETE FROM appeals; DELETE FROM sanctions; DELETE FROM moderator_assignments;
INSERT INTO screening_settings (rules_version)
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
SET session_replication_role = origin;
"""
# Headers that a client may rely on, so that where they come without being declared is a lie too.
DECLARED_HEADERS = ("etag", "location", "link", "idempotent-replayed", "retry-after")


def close_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with answers that may hold nothing but what is declared.

    Clients are told to bear additions; whoever tests the service wants to see each of them.
    """
    strict = copy.deepcopy(document)
    for name, schema in strict["components"]["schemas"].items():
        if "properties" in schema and name != "Problem":
            schema["unevaluatedProperties"] = False
    # Of a stream the fuzzer takes each message for an object, as OpenAPI 3.2 describes them.
    for item in strict["paths"].values():
        for operation in item.values():
            operation["responses"].get("200", {}).get("content", {}).get(
                "text/event-stream", {}
            ).pop("schema", None)
    return strict


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an app in a thread; yield its address."""
    server = uvicorn.Server(
        uvicorn.Config(hanging_up(app), port=0, http="httptools", log_config=None, access_log=False)
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@dataclass
class Target:
    """A served app with people, an article and a thread, and the credentials of one of them."""

    url: str
    database_url: str
    http: httpx.Client
    session: requests.Session = field(default_factory=requests.Session)
    tokens: dict[str, Any] = field(default_factory=dict)
    handle: str = "fuzzed"
    article: dict[str, Any] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    unsubscribe_token: str = ""
    # Of a moderator of the whole forum, and what waits for one.
    staff_token: str = ""
    item_id: str = ""
    rule_id: str = ""
    numbers: Iterator[int] = field(default_factory=itertools.count)
    sent: int = 0

    def prepare(self) -> None:
        """Begin anew: with nothing but some people, and what the first requests can hit."""
        self._execute(EMPTY_TABLES)
        # No look at proxies and password files for each request.
        self.session.trust_env = False
        # Credentials of somebody who is gone are refused wherever they come.
        self.http.headers.pop("Authorization", None)
        for handle in ("mira", self.handle, "penelope"):
            user = self._post(
                "/v1/users",
                {"handle": handle, "email": f"{handle}@example.com", "password": PASSWORD},
            )
        unsubscription = Unsubscription(UUID(user["id"]), NotificationKind.MENTION)
        self.unsubscribe_token = make_token(Signer(SECRET), unsubscription)
        self._execute("UPDATE users SET role = 'moderator' WHERE handle = 'mira'")
        self.log_in()
        self.fill()

    def log_in(self) -> None:
        """Get new credentials. The address goes on leading to the account, whatever its handle."""
        body = {"login": f"{self.handle}@example.com", "password": PASSWORD}
        self.tokens = self._post("/v1/sessions", body)
        body = {"login": "mira", "password": PASSWORD}
        self.staff_token = self._post("/v1/sessions", body)["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"

    def fill(self) -> None:
        """Publish an article with a small thread."""
        # The app remembers for ever where a slug leads, whatever we empty.
        title = f"On docking ports, {next(self.numbers)}"
        self.article = self._post("/v1/articles", {"title": title, "tags": ["space"]})
        self.comments = []
        for body, parent in (("See @penelope.", None), ("Yes.", 0), ("No.", 1), ("And?", None)):
            reply = {"body": body, "parent_id": None if parent is None else self.comments[parent]}
            path = f"/v1/articles/{self.article['id']}/comments"
            self.comments.append(self._post(path, reply)["id"])
        self.let_wait()

    def let_wait(self) -> None:
        """Make what moderators can decide about: a reported comment, and a rule."""
        staff = {"Authorization": f"Bearer {self.staff_token}"}
        path = f"/v1/comments/{self.comments[0]}"
        self._post(f"{path}/reports", {"reason": "spam"}, headers=staff)
        item = self.http.get(f"{path}/moderation", headers=staff).json()["item"]
        self.item_id = item["id"]
        rule = {"kind": "word", "value": f"blorp{next(self.numbers)}x", "action": "flag"}
        self.rule_id = self._post("/v1/moderation/rules", rule, headers=staff)["id"]

    def steer(self, case: Case, *, path: bool = True) -> None:
        """Put what is there in place of most of what was invented, in the path too or not.

        What is wrong on purpose stays as it is.
        """
        meta = case.meta
        for location, values in (
            (ParameterLocation.PATH, case.path_parameters if path else None),
            (ParameterLocation.QUERY, case.query),
            (ParameterLocation.HEADER, case.headers),
            (ParameterLocation.BODY, case.body),
        ):
            if isinstance(values, MutableMapping) and not (meta and meta.is_negative_at(location)):
                for name in list(values):
                    self._replace(values, name)

    def _replace(self, values: MutableMapping[str, Any], name: str) -> None:
        roll = _roll(values[name])
        if name in ("cursor", "epoch") and roll < MOST:
            # Nobody invents a signed one, and any other is refused before anything is read.
            del values[name]
        elif name == "Idempotency-Key":
            # Short texts come again and again, and an old key says nothing new.
            values[name] += f"-{next(self.numbers)}" if roll < MOST else ""
        elif name == "targets" and isinstance(values[name], list):
            for target in values[name]:
                if isinstance(target, MutableMapping):
                    target |= {"comment_id": self.comments[_roll(target) % 4], "etag": "*"}
        elif name == "new_password":
            # So that the next login works.
            values[name] = PASSWORD
        elif roll < MOST:
            values[name] = {
                "If-Match": "*",
                # The people of a thread are asked for by its article's id alone.
                "article": self.article["slug" if roll % 2 and "prefix" not in values else "id"],
                "comment_id": self.comments[roll % len(self.comments)],
                "parent_id": self.comments[roll % len(self.comments)],
                "handle": "penelope" if roll < MOST // 2 else values[name],
                "login": "penelope",
                "password": PASSWORD,
                "since": roll % 5,
                "item_id": self.item_id,
                "rule_id": self.rule_id,
                "current_password": PASSWORD,
                "refresh_token": self.tokens["refresh_token"],
                "token": self.unsubscribe_token,
            }.get(name, values[name])

    def send(self, case: Case) -> Response:
        """Ask, and make good again what the request destroyed."""
        self.sent += 1
        of_staff = OF_STAFF.search(case.path) is not None
        as_staff = of_staff and _roll((self.sent, case.path)) < MOST_OF_STAFF
        member = self.http.headers["Authorization"]
        authorization = f"Bearer {self.staff_token}" if as_staff else member
        response = case.call(
            base_url=self.url, session=self.session, headers={"Authorization": authorization}
        )
        if as_staff and case.method != "GET" and response.status_code < 300:
            self._execute(RESTORE)
            if "sanctions" in case.path:
                # A ban ends sessions.
                self.log_in()
            self.fill()
            return response
        is_refused = response.status_code == 401 and self.http.get("/v1/me").status_code == 401
        if is_refused or "/sessions/" in case.path:
            self.log_in()
        elif response.status_code == 204 and case.method == "DELETE":
            self.fill()
        return response

    def _execute(self, statements: str) -> None:
        """Run SQL, in a thread of its own, since there may be an event loop in this one."""

        async def execute() -> None:
            connection = await asyncpg.connect(**connect_arguments(self.database_url))
            await connection.execute(statements)
            await connection.close()

        thread = threading.Thread(target=lambda: asyncio.run(execute()))
        thread.start()
        thread.join()

    def _post(self, path: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
        response = self.http.post(path, json=body, **options)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer


def problem_is_declared(_: CheckContext, response: Response, case: Case) -> None:
    """Every problem is one of those that the operation declares for its status."""
    if response.status_code >= 400 and response.status_code != 405:
        declared = case.operation.responses.find_by_status_code(response.status_code)
        assert declared is not None, f"{response.status_code} is not declared"
        code = response.json()["code"]
        content = declared.definition["content"]["application/problem+json"]
        assert code in content["examples"], f"{code} is not declared for {response.status_code}"


def headers_are_declared(_: CheckContext, response: Response, case: Case) -> None:
    """What clients may rely on is declared wherever it comes."""
    declared = case.operation.responses.find_by_status_code(response.status_code)
    if declared is not None:
        known = {name.lower() for name in declared.definition.get("headers", {})}
        for name in DECLARED_HEADERS:
            assert name not in response.headers or name in known, f"{name} is not declared"


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    problem_is_declared,
    headers_are_declared,
]


def _roll(value: object) -> int:
    """Return a number from 0 to 9, always the same for the same value."""
    return zlib.crc32(repr(value).encode(errors="surrogatepass")) % 10
