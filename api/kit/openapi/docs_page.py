"""`/docs`: Swagger UI from the assets of a wheel, so that no other host is asked for anything."""

from functools import cache
from importlib.resources import files

import orjson
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from api.kit.http.cacheability import public_response
from api.kit.http.routing import make_router

ASSETS = "/docs/assets"
DOCUMENT = "/openapi.json"
# Swagger UI runs an inline script and inlines its icons.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)


def install_docs(app: FastAPI) -> None:
    """Serve the OpenAPI document and the interactive documentation, and lead `/` to it."""
    directory = files("fastapi_offline") / "static"
    app.mount(ASSETS, StaticFiles(directory=str(directory)), name="docs_assets")

    async def read_docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=root + DOCUMENT,
            title="Palaver",
            swagger_js_url=f"{root}{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{root}{ASSETS}/favicon.png",
            swagger_ui_parameters={
                "displayRequestDuration": True,
                "filter": True,
                # Else the page shows a badge that another host draws.
                "validatorUrl": None,
            },
        )
        page.headers["Content-Security-Policy"] = _POLICY
        return page

    @public_response
    async def read_document() -> Response:
        # Made with the first request: all routes are there by then.
        return Response(_dump_document(app), media_type="application/json")

    async def redirect_to_docs(request: Request) -> Response:
        return RedirectResponse(request.scope.get("root_path", "") + "/docs")

    router = make_router("docs", prefix="")
    router.add_api_route(DOCUMENT, read_document, include_in_schema=False)
    app.router.routes.extend(router.routes)
    app.add_api_route("/docs", read_docs, include_in_schema=False)
    app.add_api_route("/", redirect_to_docs, include_in_schema=False)


@cache
def _dump_document(app: FastAPI) -> bytes:
    return orjson.dumps(app.openapi())
