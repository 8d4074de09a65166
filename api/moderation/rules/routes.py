"""HTTP for rules and settings of screening."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from api.auth.actor import Actor
from api.auth.dependencies import IdempotentUow, requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.conditional import IfMatch, Resource, make_resource_response
from api.kit.http.pagination import CursorParam, InvalidCursor, Keyset, Limit, link_next
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.kit.problems import MalformedRequest, PayloadTooLarge, UnsupportedMediaType, declares
from api.moderation.errors import DryRunNotFound, NotAModerator
from api.moderation.rules import queries as dry_runs
from api.moderation.rules import service
from api.moderation.rules.schemas import DryRunCreate, DryRunRead
from api.screening import editing, queries
from api.screening.csv_files import MAX_BYTES, format_rules, parse_rules
from api.screening.errors import RuleExists, RuleNotFound, TooManyRules
from api.screening.schemas import (
    RuleCreate,
    RuleImport,
    RulePage,
    RuleRead,
    RuleUpdate,
    ScreeningSettingsRead,
    ScreeningSettingsUpdate,
)
from models import DryRun, RuleKind, ScreeningRule, ScreeningSettings

router = make_router("moderation")

RuleId = Annotated[UUID, Path(description="The rule's id.")]
KindFilter = Annotated[RuleKind | None, Query(description="Only rules of this kind.")]

# Binary: generators take it as a file, and have no other way to send one that is not JSON.
_CSV = {"schema": {"type": "string", "format": "binary", "maxLength": MAX_BYTES}}
_EXAMPLE = "kind,value,action,note,is_enabled\r\nword,blorp,hold,,true\r\n"


@declares(NotAModerator)
async def require_rule_maker(
    actor: Annotated[Actor, requires(Scope.RULES_MODERATE)],
) -> Actor:
    """Return who is asking, if they moderate the whole forum: rules apply everywhere."""
    if not actor.is_staff:
        raise NotAModerator
    return actor


RuleMaker = Annotated[Actor, Depends(require_rule_maker)]


@router.get("/moderation/rules", responses=problems(InvalidCursor))
async def list_rules(
    request: Request,
    response: Response,
    _: RuleMaker,
    session: ReadSession,
    services: ServicesDep,
    kind: KindFilter = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> RulePage:
    """List rules.

    For moderators of the whole forum. The newest come first.
    """
    keyset = Keyset(services.signer, f"rules {kind}")
    rows = await queries.list_rules(session, kind=kind, after=keyset.parse(cursor), limit=limit)
    page = keyset.make_page(rows, lambda rule: (rule.created_at, rule.id))
    link_next(request, response, page.next_cursor)
    return RulePage(data=[RuleRead.model_validate(_fields(rule)) for rule in rows.data], page=page)


@router.post(
    "/moderation/rules",
    status_code=201,
    response_model=RuleRead,
    responses=problems(RuleExists, TooManyRules),
    dependencies=[limit(Action.RULES)],
)
async def create_rule(
    request: Request, body: RuleCreate, actor: RuleMaker, uow: IdempotentUow
) -> Response:
    """Create a rule.

    It applies to the next text. A pattern that could take unbounded time is refused.
    """
    rule = await service.create_rule(uow, actor, body)
    response = await _make_response(request, rule, status=201)
    response.headers["Location"] = f"/v1/moderation/rules/{rule.id}"
    return response


@router.get(
    "/moderation/rules.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {**_CSV, "example": _EXAMPLE}}}},
)
async def export_rules(_: RuleMaker, session: ReadSession) -> Response:
    """Export rules as CSV."""
    rules = (await queries.find_rules(session)).values()
    headers = {"Content-Disposition": 'attachment; filename="rules.csv"'}
    return Response(format_rules(rules), media_type="text/csv", headers=headers)


@router.post(
    "/moderation/rules/import",
    responses=problems(MalformedRequest, PayloadTooLarge, UnsupportedMediaType, TooManyRules),
    dependencies=[limit(Action.RULES)],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/csv": {**_CSV, "example": _EXAMPLE}},
        }
    },
)
async def import_rules(request: Request, actor: RuleMaker, uow: UowDep) -> RuleImport:
    """Import rules from CSV.

    All of them or none. A rule of the same kind and value is changed, so importing twice is
    importing once. At most 1 MiB.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/csv":
        raise UnsupportedMediaType("Send CSV with 'Content-Type: text/csv'.")
    return await service.import_rules(uow, actor, parse_rules(await request.body()))


@router.post(
    "/moderation/rules/dry-run",
    status_code=202,
    response_model=DryRunRead,
    responses=problems(RuleNotFound),
    dependencies=[limit(Action.RULES)],
)
async def create_dry_run(body: DryRunCreate, actor: RuleMaker, uow: IdempotentUow) -> Response:
    """Test rules on the latest comments.

    Nothing happens to the comments. The worker does it: read the progress at Location.
    """
    dry_run = await service.create_dry_run(uow, actor, body)
    content = _to_dry_run(dry_run).model_dump_json()
    headers = {"Location": f"/v1/moderation/dry-runs/{dry_run.id}"}
    return Response(content, status_code=202, media_type="application/json", headers=headers)


@router.get("/moderation/dry-runs/{dry_run_id}", responses=problems(DryRunNotFound))
async def read_dry_run(
    dry_run_id: Annotated[UUID, Path(description="The dry run's id.")],
    _: RuleMaker,
    session: ReadSession,
) -> DryRunRead:
    """Get a dry run.

    With its progress, and what it found so far.
    """
    dry_run = await dry_runs.find_dry_run(session, dry_run_id)
    if dry_run is None:
        raise DryRunNotFound
    return _to_dry_run(dry_run)


@router.get(
    "/moderation/rules/{rule_id}", response_model=RuleRead, responses=problems(RuleNotFound)
)
async def read_rule(
    request: Request, rule_id: RuleId, _: RuleMaker, session: ReadSession
) -> Response:
    """Get a rule."""
    rule = await queries.find_rule(session, rule_id)
    if rule is None:
        raise RuleNotFound
    return await _make_response(request, rule)


@router.patch(
    "/moderation/rules/{rule_id}",
    response_model=RuleRead,
    responses=problems(RuleNotFound, RuleExists),
    dependencies=[limit(Action.RULES)],
)
async def update_rule(
    request: Request,
    rule_id: RuleId,
    body: RuleUpdate,
    actor: RuleMaker,
    uow: UowDep,
    if_match: IfMatch,
) -> Response:
    """Edit a rule."""
    rule = await service.update_rule(uow, actor, rule_id, body, if_match)
    return await _make_response(request, rule)


@router.delete(
    "/moderation/rules/{rule_id}",
    status_code=204,
    responses=problems(RuleNotFound),
    dependencies=[limit(Action.RULES)],
)
async def delete_rule(rule_id: RuleId, actor: RuleMaker, uow: UowDep, if_match: IfMatch) -> None:
    """Delete a rule.

    What was decided by it stays decided.
    """
    await service.delete_rule(uow, actor, rule_id, if_match)


@router.get("/moderation/settings", response_model=ScreeningSettingsRead)
async def read_screening_settings(request: Request, _: RuleMaker, session: ReadSession) -> Response:
    """Get the forum's moderation settings."""
    return await _make_settings_response(request, await queries.get_settings(session))


@router.patch(
    "/moderation/settings",
    response_model=ScreeningSettingsRead,
    dependencies=[limit(Action.RULES)],
)
async def update_screening_settings(
    request: Request,
    body: ScreeningSettingsUpdate,
    actor: RuleMaker,
    uow: UowDep,
    if_match: IfMatch,
) -> Response:
    """Edit the forum's moderation settings."""
    settings = await service.update_settings(uow, actor, body, if_match)
    return await _make_settings_response(request, settings)


def _to_dry_run(dry_run: DryRun) -> DryRunRead:
    fields = dry_run.model_dump(include=set(DryRunRead.model_fields))
    fields["is_done"] = dry_run.finished_at is not None
    fields["limit"] = dry_run.comment_limit
    fields["matches"] = [
        {
            "comment_id": match["comment_id"],
            **dry_run.rules[match["rule"]],
            "start": match["start"],
            "end": match["end"],
        }
        for match in dry_run.matches
    ]
    return DryRunRead.model_validate(fields)


def _fields(rule: ScreeningRule) -> dict[str, object]:
    return rule.model_dump(include=set(RuleRead.model_fields))


async def _make_response(request: Request, rule: ScreeningRule, *, status: int = 200) -> Response:
    return await make_resource_response(
        request,
        RuleRead.model_validate(_fields(rule)),
        resource=Resource("rule", rule.id),
        revision=rule.revision,
        status=status,
    )


async def _make_settings_response(request: Request, settings: ScreeningSettings) -> Response:
    fields = settings.model_dump(include=set(ScreeningSettingsRead.model_fields))
    return await make_resource_response(
        request,
        ScreeningSettingsRead.model_validate(fields),
        resource=editing.SETTINGS,
        revision=settings.revision,
    )
