"""Probes for load balancers and orchestrators, and metrics for Prometheus."""

from typing import Literal

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.kit.db.database import DatabaseUnavailable
from api.kit.db.migrations import find_revision, is_behind
from api.kit.dependencies import ServicesDep
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.kit.http.schemas import Output
from api.kit.problems import Problem

router = make_router("probes", prefix="")


class ProbeRead(Output):
    """A successful probe."""

    status: Literal["ok"]


class NotReady(Problem):
    """The process should get no requests now."""

    status = 503
    code = "not_ready"
    title = "Server not ready"
    detail = "Send the request to another server, or again in a few seconds."
    headers = (("Retry-After", "2"),)


@router.get("/livez")
async def read_liveness() -> ProbeRead:
    """Check that the process runs."""
    return ProbeRead(status="ok")


@router.get("/readyz", responses=problems(NotReady, DatabaseUnavailable))
async def read_readiness(request: Request, services: ServicesDep) -> ProbeRead:
    """Check that the process is ready.

    Ready means: the database is reached, its schema is new enough, and no shutdown has begun.
    """
    if getattr(request.app.state, "draining", False):
        raise NotReady("The server is shutting down. Send the request to another one.")
    async with services.database.read_session() as session:
        revision = await find_revision(session)
    if is_behind(revision):
        raise NotReady("The database has an older schema. Run 'palaver migrate'.")
    return ProbeRead(status="ok")


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Metrics in Prometheus text format.",
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": "palaver_events_relayed_total 12.0",
                }
            },
        }
    },
)
def read_metrics() -> Response:
    """Get metrics."""
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})
