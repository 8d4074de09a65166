"""HEAD wherever GET is: the request is answered as a GET, and its body is not sent.

So the headers of both are the same (RFC 9110, 9.3.2), and no route has to know of HEAD.
"""

from starlette.types import Message, Scope, Send

# The key of the ASGI scope under which the method stands that the client sent.
SENT_METHOD = "palaver.sent_method"


def is_head(scope: Scope) -> bool:
    """Tell whether this is a HEAD request."""
    return bool(scope["type"] == "http" and scope["method"] == "HEAD")


def convert_head_to_get(scope: Scope, send: Send) -> tuple[Scope, Send]:
    """Return the scope of the GET request, and a `send` that leaves its body out."""

    async def send_without_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    # A copy: the server decides by its own scope whether a body has to follow.
    return {**scope, "method": "GET", SENT_METHOD: "HEAD"}, send_without_body
