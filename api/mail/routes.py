"""HTTP for unsubscribing by the link of a mail (RFC 8058)."""

from email.parser import BytesParser
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Query, Request
from starlette.responses import HTMLResponse

from api.auth.quotas import Action, limit_address
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.problem_responses import describe_error, problems
from api.kit.http.routing import make_router
from api.kit.problems import PayloadTooLarge, UnsupportedMediaType, ValidationFailed
from api.mail import service
from api.mail.errors import UnsubscribeLinkInvalid
from api.mail.messages import get_sender
from api.mail.pages import render_unsubscribe_page
from api.mail.unsubscribing import MAX_TOKEN, Unsubscription

router = make_router("notifications")

_FIELD, _VALUE = "List-Unsubscribe", "One-Click"
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
# Bytes of a form that are looked at: what a mail program sends has 200.
_MAX_FORM = 2_000
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page for people.",
        "content": {
            "text/html": {"schema": {"type": "string"}, "example": "<!DOCTYPE html><p>...</p>"}
        },
    }
}
_BODY = {
    "required": True,
    "content": {
        _FORM: {
            "schema": {
                "type": "object",
                "properties": {_FIELD: {"type": "string", "const": _VALUE}},
                "required": [_FIELD],
            },
            "example": {_FIELD: _VALUE},
        }
    },
}
# The page has styles and a form, and nothing else.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
)

Token = Annotated[
    str, Query(min_length=1, max_length=MAX_TOKEN, description="The token of the link in the mail.")
]


@router.get(
    "/mail-unsubscriptions",
    response_class=HTMLResponse,
    responses={**problems(UnsubscribeLinkInvalid), **_PAGE},
)
async def read_mail_unsubscription(
    token: Token, session: ReadSession, services: ServicesDep
) -> HTMLResponse:
    """Get the page to unsubscribe.

    The link of a mail. It changes nothing: the page has a button that does.
    """
    wanted = service.read_token(services.signer, token)
    is_on = await service.gets_mails(session, wanted)
    return _make_page(services, wanted, is_on=is_on)


@router.post(
    "/mail-unsubscriptions",
    response_class=HTMLResponse,
    responses={
        **problems(UnsubscribeLinkInvalid, PayloadTooLarge, UnsupportedMediaType),
        **_PAGE,
    },
    dependencies=[limit_address(Action.MAIL_UNSUBSCRIBE)],
    openapi_extra={"requestBody": _BODY},
)
async def create_mail_unsubscription(
    request: Request, token: Token, uow: UowDep, services: ServicesDep
) -> HTMLResponse:
    """End mails of one kind.

    One-click unsubscribing (RFC 8058), without credentials: the link of a mail's List-Unsubscribe
    header, to which mail programs POST the form field `List-Unsubscribe=One-Click`. It ends the
    mails of the notification's kind, or the digest. Doing it twice changes nothing.
    """
    wanted = service.read_token(services.signer, token)
    _require_one_click(request.headers.get("content-type", ""), await request.body())
    await service.unsubscribe(uow, wanted)
    return _make_page(services, wanted, is_on=False)


def _require_one_click(content_type: str, body: bytes) -> None:
    """Raise UnsupportedMediaType, or ValidationFailed unless the form is the one of RFC 8058."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == _FORM:
        values = parse_qs(body[:_MAX_FORM].decode("latin-1")).get(_FIELD, [])
    elif media_type == _MULTIPART:
        head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
        values = [
            str(part.get_payload())
            for part in BytesParser().parsebytes(head + body[:_MAX_FORM]).walk()
            if part.get_param("name", header="content-disposition") == _FIELD
        ]
    else:
        raise UnsupportedMediaType(f"Send a form with 'Content-Type: {_FORM}'.")
    if [value.strip() for value in values] != [_VALUE]:
        detail = f"Send {_FIELD}={_VALUE}."
        raise ValidationFailed(errors=[describe_error(("body", _FIELD), "invalid", detail)])


def _make_page(services: ServicesDep, wanted: Unsubscription, *, is_on: bool) -> HTMLResponse:
    page = render_unsubscribe_page(get_sender(services.settings).name, wanted.subject, is_on=is_on)
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})
