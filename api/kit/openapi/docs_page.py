"""`/docs`: Swagger UI from the assets of a wheel, so that no other host is asked for anything."""

from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

ASSETS = "/docs/assets"
# Swagger UI runs an inline script and inlines its icons.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)


def install_docs(app: FastAPI) -> None:
    """Serve the interactive documentation, and lead `/` to it."""
    directory = files("fastapi_offline") / "static"
    app.mount(ASSETS, StaticFiles(directory=str(directory)), name="docs_assets")

    async def read_docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=f"{root}/openapi.json",
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

    async def redirect_to_docs(request: Request) -> Response:
        return RedirectResponse(request.scope.get("root_path", "") + "/docs")

    app.add_api_route("/docs", read_docs, include_in_schema=False)
    app.add_api_route("/", redirect_to_docs, include_in_schema=False)
