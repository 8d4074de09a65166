"""Who may do what: every operation of the document, by everybody who can ask.

A new operation without its row fails. Each cell is asked for real, with things made for it alone,
so that what one is allowed to destroy is there for the next.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.auth.scopes import PUBLISHING, Scope
from api.kit.services import Services
from models import CommentState, SanctionKind
from tests.client import PASSWORD, Client, Person, expect, expect_problem
from tests.conftest import MovableClock
from tests.credentials import make_api_token, restrict

ACTORS = (
    *("anonymous", "another", "owner", "moderator", "admin"),
    *("moderator of the article", "moderator of another"),
)
NOBODY, ANOTHER, OWNER, MODERATOR, ADMIN, LOCAL, ELSEWHERE = range(7)
# Of a browser.
PUSH_KEYS = {
    "p256dh": (
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    ),
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
# What the articles of the owner are about.
TAG = "olgas"


@dataclass(frozen=True)
class Row:
    """How to ask, and what anonymous, another, the owner and a moderator are answered.

    An administrator may do what a moderator may, unless `admin` says otherwise. A moderator of the
    article (by its tag) may do what another person may, unless `local` says otherwise; a moderator
    of another article is like another person, unless `elsewhere` says otherwise.
    """

    anonymous: int
    another: int
    owner: int
    moderator: int
    admin: int | None = None
    local: int | None = None
    elsewhere: int | None = None
    body: Any = None
    query: str = ""
    # What a credential must cover; None where the operation needs no credentials.
    scope: Scope | None = None
    # Which comments' texts, besides visible ones, a response shows to their author and to
    # moderators (test_markers).
    shows_author: frozenset[CommentState] = frozenset()
    shows_staff: frozenset[CommentState] = frozenset()

    @property
    def statuses(self) -> tuple[int, ...]:
        admin = self.moderator if self.admin is None else self.admin
        local = self.another if self.local is None else self.local
        everybody = (self.anonymous, self.another, self.owner, self.moderator)
        elsewhere = self.another if self.elsewhere is None else self.elsewhere
        return (*everybody, admin, local, elsewhere)


def everybody(status: int, **asked: Any) -> Row:
    return Row(status, status, status, status, **asked)


def members(status: int, **asked: Any) -> Row:
    return Row(401, status, status, status, **asked)


# What the path names belongs to the owner. `{...}` in a body is filled like one in a path.
TABLE: dict[str, Row] = {
    "read_liveness": everybody(200),
    "read_readiness": everybody(200),
    "read_metrics": everybody(200),
    "create_session": everybody(201, body={"login": "{handle}", "password": PASSWORD}),
    "refresh_session": everybody(201, body={"refresh_token": "{refresh_token}"}),
    "list_sessions": members(200, scope=Scope.SESSIONS_READ),
    "delete_session": Row(401, 404, 204, 404, scope=Scope.SESSIONS_WRITE),
    "create_user": everybody(
        201, body={"handle": "{new}", "email": "{new}@example.com", "password": PASSWORD}
    ),
    "complete_users": everybody(200, query="?prefix=ol"),
    "read_user": everybody(200),
    "list_comments_of_user": everybody(200),
    "read_me": members(200, scope=Scope.PROFILE_READ),
    "update_me": members(200, body={"display_name": "Somebody Else"}, scope=Scope.PROFILE_WRITE),
    "change_password": members(
        204,
        body={"current_password": PASSWORD, "new_password": PASSWORD},
        scope=Scope.ACCOUNT_WRITE,
    ),
    "read_push_key": members(200, scope=Scope.NOTIFICATIONS_READ),
    "list_push_subscriptions": members(200, scope=Scope.NOTIFICATIONS_READ),
    "create_push_subscription": members(
        201,
        body={"endpoint": "https://93.184.215.14/{new}", "keys": PUSH_KEYS},
        scope=Scope.NOTIFICATIONS_WRITE,
    ),
    "delete_push_subscription": Row(401, 404, 204, 404, scope=Scope.NOTIFICATIONS_WRITE),
    # Without credentials, but with the token of a link.
    "read_mail_unsubscription": everybody(404, query="?token=x"),
    "create_mail_unsubscription": everybody(404, query="?token=x"),
    "create_article": members(201, body={"title": "New"}, scope=Scope.ARTICLES_WRITE),
    "list_articles": everybody(200),
    "read_article": everybody(200),
    "update_article": Row(
        *(401, 403, 200, 200), local=200, body={"title": "Changed"}, scope=Scope.ARTICLES_WRITE
    ),
    "delete_article": Row(401, 403, 204, 204, local=204, scope=Scope.ARTICLES_WRITE),
    "upsert_article": Row(
        *(401, 403, 200, 200),
        local=200,
        body={"title": "Changed", "tags": [TAG]},
        scope=Scope.ARTICLES_WRITE,
    ),
    "replace_article_settings": Row(
        401, 403, 403, 200, local=200, body={"notice": "Be brief."}, scope=Scope.ARTICLES_MODERATE
    ),
    "read_tag_settings": Row(401, 403, 403, 200, scope=Scope.ARTICLES_MODERATE),
    "replace_tag_settings": Row(
        401, 403, 403, 200, body={"is_pre_moderated": True}, scope=Scope.ARTICLES_MODERATE
    ),
    "vote_on_article": Row(401, 200, 403, 200, body={"value": 1}, scope=Scope.VOTES_WRITE),
    "read_viewer": members(
        200, scope=Scope.VOTES_READ, shows_author=frozenset({CommentState.PENDING})
    ),
    "create_comment": members(
        201, body={"body": "I see.", "parent_id": "{comment_id}"}, scope=Scope.COMMENTS_WRITE
    ),
    "read_tree": everybody(200),
    "list_flat": everybody(200),
    "stream_article": everybody(200, query="?last_event_id=0"),
    "read_articles_feed": everybody(200),
    "read_tag_feed": everybody(200),
    "read_comments_feed": everybody(200),
    "read_person_feed": everybody(200),
    "set_read_state": members(200, body={"version": 1}, scope=Scope.SUBSCRIPTIONS_WRITE),
    # Of another id, which is left out.
    "list_read_states": members(
        200,
        query="?article_id=0198f2c5-6f3a-7000-8000-000000000001",
        scope=Scope.SUBSCRIPTIONS_READ,
    ),
    "read_changes": everybody(200, query="?since=0"),
    "read_comment": everybody(200, shows_author=frozenset({CommentState.PENDING})),
    "read_replies": everybody(200),
    "read_context": everybody(200, shows_author=frozenset({CommentState.PENDING})),
    "list_revisions": everybody(
        200,
        shows_author=frozenset({CommentState.HIDDEN, CommentState.REMOVED}),
        shows_staff=frozenset({CommentState.HIDDEN, CommentState.REMOVED}),
    ),
    # A moderator takes back what others wrote, and puts no words into their mouths.
    "update_comment": Row(
        401, 403, 200, 403, body={"body": "Changed."}, scope=Scope.COMMENTS_WRITE
    ),
    "delete_comment": Row(401, 403, 204, 204, local=204, scope=Scope.COMMENTS_WRITE),
    "vote_on_comment": Row(401, 200, 403, 200, body={"value": -1}, scope=Scope.VOTES_WRITE),
    "stream_inbox": members(200, query="?last_event_id=0", scope=Scope.NOTIFICATIONS_READ),
    "create_stream_ticket": members(201, scope=Scope.NOTIFICATIONS_READ),
    "preview_mentions": members(
        200, body={"article": "{article}", "body": "@{handle}"}, scope=Scope.COMMENTS_WRITE
    ),
    "list_sanctions": Row(401, 403, 403, 200, scope=Scope.MODERATION_READ),
    "create_sanction": Row(
        *(401, 403, 403, 201),
        body={"kind": "note", "reason": "other", "note": "New."},
        scope=Scope.MODERATION_MODERATE,
    ),
    "delete_sanction": Row(401, 403, 403, 204, scope=Scope.MODERATION_MODERATE),
    # Before those that make the owner a moderator.
    "create_report": Row(401, 201, 403, 201, body={"reason": "spam"}, scope=Scope.REPORTS_WRITE),
    "list_queue": Row(
        401,
        403,
        403,
        200,
        local=200,
        elsewhere=200,
        scope=Scope.MODERATION_READ,
        shows_staff=frozenset({CommentState.PENDING}),
    ),
    "claim_item": Row(401, 403, 403, 200, scope=Scope.MODERATION_MODERATE),
    "release_item": Row(401, 403, 403, 204, scope=Scope.MODERATION_MODERATE),
    "read_comment_moderation": Row(
        401,
        403,
        403,
        200,
        local=200,
        scope=Scope.MODERATION_READ,
        shows_staff=frozenset({CommentState.PENDING, CommentState.HIDDEN, CommentState.REMOVED}),
    ),
    # What becomes of each target is in the response.
    "create_action": Row(
        401,
        403,
        403,
        200,
        local=200,
        elsewhere=200,
        body={
            "action": "approve",
            "targets": [{"comment_id": "0198f2c5-6f3a-7000-8000-000000000001", "etag": "*"}],
        },
        scope=Scope.MODERATION_MODERATE,
    ),
    "list_log": Row(401, 403, 403, 200, scope=Scope.MODERATION_READ),
    # It is published only where the settings say so.
    "list_public_log": everybody(404),
    "read_statistics": Row(
        401, 403, 403, 200, query="?from=2026-01-01&to=2026-01-02", scope=Scope.MODERATION_READ
    ),
    "list_moderators": Row(401, 403, 403, 403, admin=200, scope=Scope.MODERATION_READ),
    "replace_moderator": Row(
        *(401, 403, 403, 403), admin=200, body={"tags": [TAG]}, scope=Scope.MODERATION_MODERATE
    ),
    "delete_moderator": Row(401, 403, 403, 403, admin=204, scope=Scope.MODERATION_MODERATE),
    "list_own_decisions": members(200, scope=Scope.PROFILE_READ),
    "create_appeal": Row(
        *(401, 404, 201, 404),
        body={"log_id": "{log_id}", "text": "I did not mean it."},
        scope=Scope.APPEALS_WRITE,
    ),
    "list_appeals": Row(401, 403, 403, 200, scope=Scope.MODERATION_READ),
    # A moderator does not decide about a decision of their own; an administrator does.
    "decide_appeal": Row(
        *(401, 403, 403, 403),
        admin=200,
        body={"is_granted": False, "reason": "It was meant."},
        scope=Scope.MODERATION_MODERATE,
    ),
    "list_notifications": members(
        200, query="?grouped=true&order=unread_first", scope=Scope.NOTIFICATIONS_READ
    ),
    "count_notifications": members(200, scope=Scope.NOTIFICATIONS_READ),
    "mark_notifications_read": members(200, body={"up_to": 0}, scope=Scope.NOTIFICATIONS_WRITE),
    "read_notification_settings": members(200, scope=Scope.NOTIFICATIONS_READ),
    "replace_notification_settings": members(200, body={}, scope=Scope.NOTIFICATIONS_WRITE),
    "read_article_subscription": members(200, scope=Scope.SUBSCRIPTIONS_READ),
    "set_article_subscription": members(
        200, body={"level": "all"}, scope=Scope.SUBSCRIPTIONS_WRITE
    ),
    "delete_article_subscription": members(204, scope=Scope.SUBSCRIPTIONS_WRITE),
    "read_user_subscription": Row(401, 200, 403, 200, scope=Scope.SUBSCRIPTIONS_READ),
    "set_user_subscription": Row(
        401, 200, 403, 200, body={"level": "mute"}, scope=Scope.SUBSCRIPTIONS_WRITE
    ),
    "delete_user_subscription": Row(401, 204, 403, 204, scope=Scope.SUBSCRIPTIONS_WRITE),
    "read_tag_subscription": members(200, scope=Scope.SUBSCRIPTIONS_READ),
    "set_tag_subscription": members(200, body={"level": "all"}, scope=Scope.SUBSCRIPTIONS_WRITE),
    "delete_tag_subscription": members(204, scope=Scope.SUBSCRIPTIONS_WRITE),
    "list_subscriptions": members(200, scope=Scope.SUBSCRIPTIONS_READ),
    "list_own_sanctions": members(200, scope=Scope.PROFILE_READ),
    "list_rules": Row(401, 403, 403, 200, scope=Scope.RULES_MODERATE),
    "create_rule": Row(
        401,
        403,
        403,
        201,
        body={"kind": "word", "value": "{new}", "action": "flag"},
        scope=Scope.RULES_MODERATE,
    ),
    "export_rules": Row(401, 403, 403, 200, scope=Scope.RULES_MODERATE),
    # The body is not CSV.
    "import_rules": Row(401, 403, 403, 415, scope=Scope.RULES_MODERATE),
    "read_rule": Row(401, 403, 403, 200, scope=Scope.RULES_MODERATE),
    "update_rule": Row(401, 403, 403, 200, body={"note": "Changed."}, scope=Scope.RULES_MODERATE),
    "delete_rule": Row(401, 403, 403, 204, scope=Scope.RULES_MODERATE),
    "create_dry_run": Row(
        *(401, 403, 403, 202),
        body={"rules": [{"kind": "word", "value": "blorp", "action": "hold"}]},
        scope=Scope.RULES_MODERATE,
    ),
    # Of another id.
    "read_dry_run": Row(401, 403, 403, 404, scope=Scope.RULES_MODERATE),
    "read_screening_settings": Row(401, 403, 403, 200, scope=Scope.RULES_MODERATE),
    "update_screening_settings": Row(
        401, 403, 403, 200, body={"max_links": 5}, scope=Scope.RULES_MODERATE
    ),
    "create_webhook": Row(
        *(401, 403, 403, 403),
        admin=201,
        # Nothing listens there, and nothing is sent.
        body={"url": "https://93.184.215.14/", "event_types": ["comment.created"]},
        scope=Scope.WEBHOOKS_WRITE,
    ),
    "list_webhooks": Row(401, 403, 403, 403, admin=200, scope=Scope.WEBHOOKS_READ),
    "read_webhook": Row(401, 403, 403, 403, admin=200, scope=Scope.WEBHOOKS_READ),
    "update_webhook": Row(
        *(401, 403, 403, 403),
        admin=200,
        body={"description": "Changed."},
        scope=Scope.WEBHOOKS_WRITE,
    ),
    "delete_webhook": Row(401, 403, 403, 403, admin=204, scope=Scope.WEBHOOKS_WRITE),
    "rotate_webhook_secret": Row(401, 403, 403, 403, admin=200, scope=Scope.WEBHOOKS_WRITE),
    # Of another id.
    "send_webhook_test": Row(401, 403, 403, 403, admin=404, scope=Scope.WEBHOOKS_WRITE),
    "list_webhook_deliveries": Row(401, 403, 403, 403, admin=200, scope=Scope.WEBHOOKS_READ),
    "replay_webhook_delivery": Row(401, 403, 403, 403, admin=404, scope=Scope.WEBHOOKS_WRITE),
    # The last one: nobody is logged in afterwards.
    "delete_current_session": members(204, scope=Scope.SESSIONS_WRITE),
}
# What the viewer is told of an article.
MAY = ("may_reply", "may_edit_article", "may_moderate")
# Of these nothing is left to see once they were taken back; what may be seen comes first.
GONE_WITH_THE_ARTICLE = {"{article}", "{comment_id}"}


@dataclass
class World:
    """The people, and whatever each request needs made anew."""

    clients: tuple[Client, ...]
    owner: Person
    made: int = 0
    values: dict[str, str] = field(default_factory=dict)

    async def refill(self) -> None:
        """Make new things of the owner's, under new names."""
        if (await self.owner.client.get("/v1/me")).status_code == 401:
            self.owner = await self.owner.client.log_in("olga", self.owner.user)
        self.made += 1
        external_id = f"site-{self.made}"
        article = await self.owner.post_article(external_id=external_id, tags=[TAG])
        comment = await self.owner.reply(article["id"])
        self.values = {
            "{article}": article["slug"],
            "{comment_id}": comment["id"],
            "{external_id}": external_id,
            "{sanction_id}": comment["id"],
            "{rule_id}": comment["id"],
            "{log_id}": comment["id"],
            "{appeal_id}": comment["id"],
            "{dry_run_id}": comment["id"],
            "{webhook_id}": comment["id"],
            "{delivery_id}": comment["id"],
            "{subscription_id}": comment["id"],
            "{handle}": self.owner.handle,
            "{new}": f"new-{self.made}",
            "{tag}": f"tag-{self.made}",
        }

    async def prepare(self, operation: str) -> None:
        """Make what one operation alone needs."""
        match operation:
            case "delete_session" | "refresh_session":
                await self.log_the_owner_in()
            case "delete_sanction":
                await self.sanction_the_owner()
            case "delete_moderator":
                path = f"/v1/moderators/{self.owner.handle}"
                expect(await self.clients[ADMIN].put(path, {"tags": [TAG]}), 200)
            case "create_appeal":
                await self.warn_the_owner()
            case "decide_appeal":
                await self.appeal()
            case "read_rule" | "update_rule" | "delete_rule":
                await self.add_rule()
            case (
                "read_webhook"
                | "update_webhook"
                | "delete_webhook"
                | "rotate_webhook_secret"
                | "list_webhook_deliveries"
                | "replay_webhook_delivery"
            ):
                await self.add_webhook()
            case "delete_push_subscription":
                await self.subscribe_the_owner()
            case "claim_item" | "release_item":
                await self.open_item()

    async def log_the_owner_in(self) -> None:
        """Make one more login of the owner's."""
        again = await self.owner.client.log_in(self.owner.handle)
        self.values["{refresh_token}"] = again.tokens["refresh_token"]
        logins = expect(await again.client.get("/v1/sessions"), 200)["data"]
        (login,) = (login for login in logins if login["is_current"])
        self.values["{session_id}"] = login["id"]

    async def sanction_the_owner(self) -> None:
        """Write a note about the owner, which a moderator can withdraw."""
        note = {"kind": "note", "reason": "other", "note": "New."}
        path = f"/v1/users/{self.owner.handle}/sanctions"
        made = expect(await self.clients[MODERATOR].post(path, note), 201)
        self.values["{sanction_id}"] = made["id"]

    async def add_rule(self) -> None:
        """Make a rule, which a moderator can change."""
        rule = {"kind": "word", "value": f"rule-{self.made}", "action": "flag"}
        self.made += 1
        made = expect(await self.clients[MODERATOR].post("/v1/moderation/rules", rule), 201)
        self.values["{rule_id}"] = made["id"]

    async def add_webhook(self) -> None:
        """Make a webhook, and delete the one before: there are at most twenty."""
        body = {"url": "https://93.184.215.14/", "event_types": ["comment.created"]}
        admin = self.clients[ADMIN]
        for webhook in expect(await admin.get("/v1/webhooks"), 200)["data"]:
            path = f"/v1/webhooks/{webhook['id']}"
            expect(await admin.delete(path, headers={"If-Match": "*"}), 204)
        self.values["{webhook_id}"] = expect(await admin.post("/v1/webhooks", body), 201)["id"]

    async def subscribe_the_owner(self) -> None:
        """Let a browser of the owner's show notifications."""
        body = {"endpoint": "https://93.184.215.14/", "keys": PUSH_KEYS}
        made = await self.owner.client.post("/v1/me/push-subscriptions", body)
        self.values["{subscription_id}"] = expect(made, 201)["id"]

    async def warn_the_owner(self) -> None:
        """Warn the owner, as a moderator."""
        warning = {"kind": "warning", "reason": "other"}
        path = f"/v1/users/{self.owner.handle}/sanctions"
        made = expect(await self.clients[MODERATOR].post(path, warning), 201)
        self.values["{log_id}"] = made["log_id"]

    async def appeal(self) -> None:
        """Let the owner appeal against a warning of the moderator."""
        await self.warn_the_owner()
        body = {"log_id": self.values["{log_id}"], "text": "I did not mean it."}
        appeal = expect(await self.owner.client.post("/v1/appeals", body), 201)
        self.values["{appeal_id}"] = appeal["id"]

    async def open_item(self) -> None:
        """Let the owner's comment wait for a moderator."""
        moderator = self.clients[MODERATOR]
        targets = [{"comment_id": self.values["{comment_id}"], "etag": "*"}]
        body = {"action": "escalate", "targets": targets}
        expect(await moderator.post("/v1/moderation/actions", body), 200)
        path = self.fill("/v1/comments/{comment_id}/moderation")
        self.values["{item_id}"] = expect(await moderator.get(path), 200)["item"]["id"]

    def fill(self, value: Any) -> Any:
        """Put the things of this turn in where a text names them."""
        if isinstance(value, dict):
            return {name: self.fill(part) for name, part in value.items()}
        if isinstance(value, str):
            for name, filling in self.values.items():
                value = value.replace(name, filling)
        return value

    async def ask(self, client: Client, method: str, path: str, row: Row) -> httpx.Response:
        headers = {"If-Match": "*"} if method in {"patch", "delete", "put"} else {}
        body = {} if row.body is None else {"json": self.fill(row.body)}
        return await client.request(
            method.upper(), self.fill(path) + row.query, headers=headers, **body
        )


async def make_world(client: Client, make_staff: Callable[[str], Awaitable[Person]]) -> World:
    owner, another = await client.join("olga"), await client.join("anna")
    moderator, admin = await make_staff("moderator"), await make_staff("admin")
    local, elsewhere = await client.join("lena"), await client.join("emil")
    for person, tag in ((local, TAG), (elsewhere, "elsewhere")):
        path = f"/v1/moderators/{person.handle}"
        expect(await admin.client.put(path, {"tags": [tag]}), 200)
    people = (another, owner, moderator, admin, local, elsewhere)
    return World((client, *(person.client for person in people)), owner)


def find_places(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the method and the path of every operation."""
    return {
        operation["operationId"]: (method, path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_every_operation_declares_the_scope_of_its_row(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            scope = TABLE[operation["operationId"]].scope
            declared = operation["security"]
            if scope is None:
                # Without credentials, or with any.
                assert declared in ([], [{"access_token": []}, {}]), operation["operationId"]
            else:
                assert declared == [{"access_token": [scope]}], operation["operationId"]
    used = {row.scope for row in TABLE.values()} - {None}
    moderating = {scope for scope in Scope if scope.endswith(":moderate")}
    assert set(Scope) - moderating == used - moderating


async def test_a_token_does_what_its_scopes_cover_and_nothing_else(
    client: Client,
    make_staff: Callable[[str], Awaitable[Person]],
    document: dict[str, Any],
    services: Services,
) -> None:
    world = await make_world(client, make_staff)
    places = find_places(document)
    read_only = {scope for scope in Scope if scope.endswith(":read")}

    async def connect(scopes: set[Scope]) -> Client:
        return Client(client.http, await make_api_token(services, world.owner.id, scopes))

    for name, row in TABLE.items():
        if row.scope is None:
            continue
        method, path = places[name]
        await world.refill()
        await world.prepare(name)
        for scopes in (set(Scope) - {row.scope}, set(), read_only - {row.scope}):
            refused = await world.ask(await connect(scopes), method, path, row)
            problem = expect_problem(refused, 403, "insufficient_scope")
            assert row.scope in problem["detail"]
            assert refused.headers["www-authenticate"] == (
                f'Bearer error="insufficient_scope", scope="{row.scope}"'
            )
        covered = await world.ask(await connect({row.scope}), method, path, row)
        # Such a token is no session that could be logged out of.
        expected = 404 if name == "delete_current_session" else row.owner
        assert covered.status_code == expected, (name, covered.text)


async def test_moderating_takes_a_scope_of_its_own(
    client: Client, make_staff: Callable[[str], Awaitable[Person]], services: Services
) -> None:
    world = await make_world(client, make_staff)
    me = expect(await world.clients[MODERATOR].get("/v1/me"), 200)
    writing = {Scope.ARTICLES_WRITE, Scope.COMMENTS_WRITE, Scope.VOTES_READ}
    writer = Client(client.http, await make_api_token(services, me["id"], writing))
    moderating = writing | {Scope.ARTICLES_MODERATE, Scope.COMMENTS_MODERATE}
    moderator = Client(client.http, await make_api_token(services, me["id"], moderating))
    await world.refill()
    article, comment = world.fill("/v1/articles/{article}"), world.fill("/v1/comments/{comment_id}")
    any_version = {"If-Match": "*"}
    expect(await world.owner.client.patch(article, {"is_locked": True}, headers=any_version), 200)
    for path, code in ((article, "not_your_article"), (comment, "not_your_comment")):
        expect_problem(await writer.delete(path, headers=any_version), 403, code)
    refused = await writer.post(f"{article}/comments", {"body": "I see."})
    expect_problem(refused, 409, "article_locked")
    seen = expect(await writer.get(f"{article}/viewer"), 200)
    assert not any(seen[name] for name in MAY)
    seen = expect(await moderator.get(f"{article}/viewer"), 200)
    assert all(seen[name] for name in MAY)
    expect(await moderator.post(f"{article}/comments", {"body": "I see."}), 201)
    for path in (comment, article):
        expect(await moderator.delete(path, headers=any_version), 204)


@pytest.mark.parametrize(
    ("kind", "code", "closed"),
    [
        (SanctionKind.SILENCE, "account_silenced", PUBLISHING),
        (
            SanctionKind.BAN,
            "account_banned",
            PUBLISHING | {Scope.PROFILE_WRITE, Scope.REPORTS_WRITE, Scope.MODERATION_READ},
        ),
    ],
)
async def test_a_restricted_person_can_leave_but_not_take_part(
    client: Client,
    make_staff: Callable[[str], Awaitable[Person]],
    document: dict[str, Any],
    services: Services,
    clock: MovableClock,
    kind: SanctionKind,
    code: str,
    closed: frozenset[Scope],
) -> None:
    world = await make_world(client, make_staff)
    await world.refill()
    await restrict(services, world.owner.id, kind, clock.now() + timedelta(minutes=5))
    # With the next request, and for a session that starts later too.
    await world.log_the_owner_in()
    await world.warn_the_owner()
    await world.open_item()
    await world.subscribe_the_owner()
    places = find_places(document)
    for name, row in TABLE.items():
        method, path = places[name]
        response = await world.ask(world.owner.client, method, path, row)
        if row.scope in closed:
            expect_problem(response, 403, code)
        elif name != "create_user":
            assert response.status_code == row.owner, (name, response.text)
    again = await client.log_in("olga")
    viewer = expect(await again.client.get(world.fill("/v1/articles/{article}/viewer")), 200)
    assert not any(viewer[name] for name in MAY)
    clock.advance(minutes=6)
    again = await client.log_in("olga")
    await again.post_article()


async def test_everybody_may_do_exactly_what_the_table_says(
    client: Client, make_staff: Callable[[str], Awaitable[Person]], document: dict[str, Any]
) -> None:
    places = find_places(document)
    assert set(places) == set(TABLE), "a new operation needs its row"
    world = await make_world(client, make_staff)
    wrong, is_changed = [], True
    for name, row in TABLE.items():
        method, path = places[name]
        for actor, expected in enumerate(row.statuses):
            if is_changed:
                await world.refill()
            is_changed = method != "get"
            await world.prepare(name)
            status = (await world.ask(world.clients[actor], method, path, row)).status_code
            if status != expected:
                wrong.append(f"{name} by {ACTORS[actor]}: {status}, not {expected}")
    assert wrong == []


async def test_nobody_sees_or_changes_what_was_taken_back(
    client: Client, make_staff: Callable[[str], Awaitable[Person]], document: dict[str, Any]
) -> None:
    world = await make_world(client, make_staff)
    await world.refill()
    article = world.fill("/v1/articles/{article}")
    expect(await world.owner.client.delete(article, headers={"If-Match": "*"}), 204)
    wrong = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            row = TABLE[operation["operationId"]]
            text = path + str(row.body)
            if not any(name in text for name in GONE_WITH_THE_ARTICLE):
                continue
            for actor, allowed in enumerate(row.statuses):
                status = (await world.ask(world.clients[actor], method, path, row)).status_code
                if status != (401 if allowed == 401 else 404):
                    wrong.append(f"{operation['operationId']} by {ACTORS[actor]}: {status}")
    assert wrong == []
