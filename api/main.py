"""The composition root: what an app is made of, in which order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.accounts.routes import router as sessions
from api.accounts.routes import users_router as accounts
from api.articles.routes import router as articles
from api.comments.mentions.routes import router as mentions
from api.comments.mentions.routes import users_router as completion
from api.comments.revisions.routes import router as revisions
from api.comments.routes import router as comments
from api.comments.tree.routes import router as comment_trees
from api.effects import EFFECTS
from api.feeds.routes import router as feeds
from api.kit.cache.edge import Edge
from api.kit.cache.versioned import VersionedCache
from api.kit.clock import Clock, SystemClock
from api.kit.db.database import POOL_TIMEOUT, Database
from api.kit.db.epoch import EpochReader
from api.kit.db.lookups import Lookups
from api.kit.db.prepared import PreparedValues
from api.kit.db.write_queues import WriteQueues
from api.kit.http.body_limit import BodyLimit
from api.kit.http.cors import Cors
from api.kit.http.envelope import Envelope, SafetyNet
from api.kit.http.head_requests import convert_head_to_get, is_head
from api.kit.http.idempotency import Replay
from api.kit.http.outgoing import OutgoingClient
from api.kit.http.problem_handlers import install_problem_handlers
from api.kit.openapi.docs_page import install_docs
from api.kit.openapi.document import build_openapi
from api.kit.openapi.webhooks import DeclaredMessage
from api.kit.probes import router as probes
from api.kit.redis.client import GuardedRedis, connect
from api.kit.redis.rate_limiter import Limiter
from api.kit.redis.wakeups import WakeUps
from api.kit.services import Services
from api.kit.settings import Settings, SettingsError, require_secret
from api.kit.signing import Signer
from api.mail.routes import router as mail
from api.moderation.actions.routes import router as actions
from api.moderation.appeals.routes import router as appeals
from api.moderation.log.routes import router as moderation_log
from api.moderation.moderators.routes import router as moderators
from api.moderation.queue.routes import router as queue
from api.moderation.reports.routes import router as reports
from api.moderation.rules.routes import router as rules
from api.moderation.sanctions.routes import router as sanctions
from api.moderation.settings.routes import router as discussion_settings
from api.moderation.statistics.routes import router as statistics
from api.notifications.inbox.routes import router as inbox
from api.notifications.read_states.routes import router as read_states
from api.notifications.settings.routes import router as notification_settings
from api.notifications.subscriptions.routes import router as subscriptions
from api.push.routes import router as push
from api.realtime.changes.routes import router as changes
from api.realtime.hub import Hub
from api.realtime.routes import router as live
from api.screening.csv_files import MAX_BYTES as MAX_RULE_FILE
from api.users.routes import router as users
from api.votes.routes import router as votes
from api.webhooks.messages import MODELS
from api.webhooks.routes import router as webhooks

# In the order of the document. Routes are tried one after the other: what is asked for most, first.
ROUTERS = (
    comment_trees,
    comments,
    articles,
    votes,
    changes,
    accounts,
    completion,
    users,
    mentions,
    sessions,
    revisions,
    discussion_settings,
    sanctions,
    moderators,
    rules,
    appeals,
    *(inbox, subscriptions, notification_settings, read_states),
    *(reports, queue, actions, moderation_log, statistics),
    live,
    feeds,
    webhooks,
    *(mail, push),
    probes,
)

# What webhooks are sent, in the order of the document.
MESSAGES = tuple(DeclaredMessage(name=str(kind), payload=model) for kind, model in MODELS.items())

# Paths that take larger bodies than others, and how large, in bytes.
LARGE_BODIES = {"/v1/moderation/rules/import": MAX_RULE_FILE}
# Requests that wait to write to the same article, in one process. At 300 commits a second the last
# of so many waits 0.2 s.
MAX_WAITING_WRITERS = 64


def make_services(
    settings: Settings, clock: Clock | None = None, *, database: Database | None = None
) -> Services:
    """Connect to the engines that the settings name. Raises SettingsError when they name none.

    A `database` that was made before, for the same settings, is used again.
    """
    if settings.database_url is None or settings.redis_url is None:
        raise SettingsError("Set PALAVER_DATABASE_URL and PALAVER_REDIS_URL, or use palaver serve.")
    redis = GuardedRedis(connect(settings.redis_url))
    if database is None:
        database = Database(settings.database_url, pool_size=settings.database_pool_size)
    epoch = EpochReader(database)
    return Services(
        settings=settings,
        clock=clock or SystemClock(),
        signer=Signer(require_secret(settings)),
        database=database,
        # At most a third of the pool's connections wait for one article.
        write_queues=WriteQueues(
            width=max(1, settings.database_pool_size // 3),
            length=MAX_WAITING_WRITERS,
            timeout=POOL_TIMEOUT,
        ),
        epoch=epoch,
        redis=redis,
        limiter=Limiter(redis),
        cache=VersionedCache(redis, epoch, namespace="tree"),
        lookups=Lookups(database, epoch),
        prepared=PreparedValues(epoch),
        reactions=EFFECTS,
        wakeups=WakeUps(redis),
        outgoing=OutgoingClient(allows_private=settings.outgoing_allow_private),
    )


class App(FastAPI):
    """FastAPI behind the edge: a response that the edge has never enters the framework."""

    edge: Edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond from the edge, or call the app."""
        if is_head(scope):
            scope, send = convert_head_to_get(scope, send)
        await self.edge(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with middlewares and routes."""
        await super().__call__(scope, receive, send)


def create_app(
    services: Services,
    *,
    background_task: Callable[[Services], Coroutine[Any, Any, None]] | None = None,
) -> FastAPI:
    """Return the app, which closes its services when it ends.

    `background_task` runs for as long as the app does.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(background_task(services)) if background_task else None
        yield
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await app.state.hub.stop()
        await services.close()

    app = App(
        title="Palaver",
        version="1.0.0",
        lifespan=lifespan,
        docs_url=None,
        openapi_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Not included: what is included is matched twice with every request.
        routes=[route for router in ROUTERS for route in router.routes],
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.services = services
    app.state.hub = Hub(services, lambda: getattr(app.state, "draining", False))
    app.openapi = lambda: build_openapi(app, MESSAGES)  # type: ignore[method-assign]  # FastAPI's own way
    install_docs(app)
    install_problem_handlers(app)
    app.add_exception_handler(Replay, _handle_replay)
    app.add_middleware(BodyLimit, exceptions=LARGE_BODIES)
    app.add_middleware(SafetyNet)
    app.add_middleware(Cors, settings=services.settings)
    app.add_middleware(Envelope)
    app.edge = Edge(app.answer, cache=services.cache, max_bytes=services.settings.cache_bytes)
    return app


async def _handle_replay(_: Request, replay: Exception) -> Response:
    if not isinstance(replay, Replay):
        raise replay
    return replay.to_response()
