"""The route class of every domain: strict input, kept responses, self-documenting problems."""

import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, get_args, get_origin

import orjson
from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIRouter

from api.kit.http.cacheability import find_cache_control, make_storable
from api.kit.http.conditional import UNCHANGED
from api.kit.http.problem_responses import MAX_ERRORS, describe_error, problems
from api.kit.problems import (
    Called,
    InternalError,
    MalformedRequest,
    NotFound,
    PayloadTooLarge,
    Problem,
    UnsupportedMediaType,
    ValidationFailed,
)

# What a handler sets on `request.state`, to be called with the response before the commit.
KEEP_RESPONSE = "keep_response"
# What the document calls the way to say who is asking.
SECURITY_SCHEME = "access_token"
# The `openapi_extra=` of a POST that makes what can be read in lists only, and has no entity tag.
HAS_NO_ADDRESS: dict[str, Any] = {"x-has-no-address": True}


def make_router(tag: str, *, prefix: str = "/v1", **options: Any) -> APIRouter:
    """Return the router of a domain; its operations are named as their functions are."""
    return APIRouter(
        prefix=prefix,
        route_class=Route,
        tags=[tag],
        generate_unique_id_function=lambda route: route.name,
        **options,
    )


def declares_scope(scope: str) -> Callable[[Called], Called]:
    """Say that a dependency refuses requests without credentials that cover this scope.

    A mark, where a dependency on a security scheme is usual: the framework would solve that one
    again for each dependency that reads credentials, with every request.
    """

    def mark(function: Called) -> Called:
        function.required_scope = scope  # type: ignore[attr-defined]  # read by Route
        return function

    return mark


def declares_credentials(function: Called) -> Called:
    """Say that a dependency reads credentials where there are some, and does without them."""
    function.reads_credentials = True  # type: ignore[attr-defined]  # read by Route
    return function


class StrictRequest(Request):
    """A request whose JSON is read by orjson.

    It refuses NaN, lone surrogates, numbers beyond a double and endless nesting, which the standard
    parser lets through. A name that comes twice in an object is what orjson lets through: of two
    readers each may take another value for it, so it is refused here.
    """

    async def json(self) -> Any:
        """Return the body. Raises json.JSONDecodeError, without the body in it."""
        body = await self.body()
        try:
            content = orjson.loads(body)
            json.loads(body, object_pairs_hook=_refuse_doubles, parse_int=str, parse_float=str)
        except (orjson.JSONDecodeError, RecursionError) as error:
            raise json.JSONDecodeError("not strict JSON", "", 0) from error
        return content


class Route(APIRoute):
    """A route that adds to its declared problems those of its dependencies and of its input."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        declared = problems(*dict.fromkeys(_problems_of(self.dependant, self.body_field)))
        for status, entry in self.responses.items():
            _merge_response(declared, status, entry)
        if find_cache_control(endpoint) is not None:
            declared |= UNCHANGED
        self.responses = dict(sorted(declared.items(), key=lambda item: int(item[0])))
        self.openapi_extra = {"security": _secure(self.dependant), **(self.openapi_extra or {})}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with strict input, its response kept if the request has a key."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None
        query_parameters = _find_query_parameters(self.dependant)
        cache_control = find_cache_control(self.endpoint)
        reads_credentials = _reads_credentials(self.dependant)

        async def handle_strictly(request: Request) -> Response:
            if request.scope["query_string"]:
                _check_query(request, query_parameters)
            if takes_body:
                _require_json(request)
                request = StrictRequest(request.scope, request.receive)
            response = await handle(request)
            if cache_control is not None:
                response = await make_storable(
                    request,
                    response,
                    cache_control=cache_control,
                    varies_by_credentials=reads_credentials,
                )
            keep = getattr(request.state, KEEP_RESPONSE, None)
            if keep is not None:
                await keep(response)
            return response

        return handle_strictly


def _find_query_parameters(dependant: Dependant) -> dict[str, bool]:
    """Return the names of all query parameters, each with whether it may be repeated."""
    return {
        field.alias: _is_list(field.field_info.annotation)
        for part in _walk(dependant)
        for field in part.query_params
    }


def _is_list(annotation: object) -> bool:
    return get_origin(annotation) is list or any(map(_is_list, get_args(annotation)))


def _check_query(request: Request, known: Mapping[str, bool]) -> None:
    """Raise ValidationFailed for parameters that the operation does not have, or that are repeated.

    A typing error in a filter would otherwise return the wrong list, and of a repeated parameter
    only the last value would count.
    """
    errors = []
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            allowed = f"This operation has: {', '.join(sorted(known))}." if known else "Remove it."
            detail = f"Unknown query parameter. {allowed}"
            errors.append(describe_error(("query", name), "extra_forbidden", detail))
        elif name in seen and not known[name]:
            detail = "Send this parameter only once."
            errors.append(describe_error(("query", name), "duplicate_parameter", detail))
        seen.add(name)
    if errors:
        raise ValidationFailed(errors=errors[:MAX_ERRORS])


def _refuse_doubles(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise json.JSONDecodeError("a name comes twice", "", 0)


def _require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType


def _problems_of(dependant: Dependant, body_field: object) -> Iterator[type[Problem]]:
    parts = list(_walk(dependant))
    # Any request can have NUL in its URL or an unknown parameter, and any code can have a defect.
    yield from (MalformedRequest, ValidationFailed, InternalError)
    if body_field is not None:
        yield from (PayloadTooLarge, UnsupportedMediaType)
    if any(part.path_params for part in parts):
        yield NotFound
    for part in parts:
        yield from getattr(part.call, "problems", ())


def _reads_credentials(dependant: Dependant) -> bool:
    return any(
        hasattr(part.call, "required_scope") or hasattr(part.call, "reads_credentials")
        for part in _walk(dependant)
    )


def _secure(dependant: Dependant) -> list[dict[str, list[str]]]:
    """Return the `security` of an operation: empty when it needs no credentials.

    The scope stands in the requirement, as OpenAPI 3.1 allows for schemes of any type. `{}` beside
    it means that credentials are optional.
    """
    calls = [part.call for part in _walk(dependant)]
    scopes = sorted({scope for call in calls if (scope := getattr(call, "required_scope", None))})
    if scopes:
        return [{SECURITY_SCHEME: scopes}]
    if any(hasattr(call, "reads_credentials") for call in calls):
        return [{SECURITY_SCHEME: []}, {}]
    return []


def _walk(dependant: Dependant) -> Iterator[Dependant]:
    """Yield a dependant and all below it; dependencies are declared in code, a few levels deep."""
    yield dependant
    for part in dependant.dependencies:
        yield from _walk(part)


def _merge_response(
    declared: dict[int | str, dict[str, Any]], status: int | str, entry: dict[str, Any]
) -> None:
    """Add what a route declares for a status to what its dependencies declare for it."""
    known = declared.get(status)
    if known is None:
        declared[status] = entry
        return
    for media_type, content in entry.get("content", {}).items():
        examples = known["content"].setdefault(media_type, content)["examples"]
        for code, example in content.get("examples", {}).items():
            if code not in examples:
                examples[code] = example
                known["description"] += f" {example['summary']}."
    if "headers" in entry:
        known.setdefault("headers", {}).update(entry["headers"])
