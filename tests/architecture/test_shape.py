"""Where code stands: folders of one shape, files that can be read, imports that can be seen."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import ROOT, find_domains, read_modules

SHAPE = frozenset(
    {
        *("__init__", "routes", "service", "cached_reads", "presenters", "policy", "queries"),
        *("visibility", "lifecycle", "schemas", "events", "errors", "reactions"),
    }
)
# What stands beside the shape, each for a reason. These lists may only shrink.
BESIDE_THE_SHAPE = {
    # Who is asking, and rate limits, are what every other domain asks auth for.
    "auth": {"actor", "dependencies", "quotas", "scopes", "tokens"},
    "accounts": {"passwords"},
    "users": {"handles"},
    # What a new version means to the public, for events of articles and of comments.
    "articles": {"changes", "slugs"},
    # Which columns of a comment readers see, for every surface that shows comments.
    # Beside it, what screening needs to know of a comment, and what only its author sees.
    "comments": {"imports", "own_comments", "projection", "screening"},
    # The list of phases, what goes through them and comes out, and how rules are matched.
    "screening": {
        *("candidate", "csv_files", "dependencies", "editing", "external", "matching"),
        *("normalization", "phases", "rules", "verdict"),
    },
    # Who listens; what is open in a process; what is read for all who watch it; what they are told.
    "realtime": {"channels", "dependencies", "hub", "messages", "topics"},
    # What is sent to other systems, the requests that carry it, and the keys that sign them.
    "webhooks": {"messages", "sealed_secrets", "sending"},
    # What becomes of a mail: templates, the message, the mail server, and the links back.
    "mail": {"messages", "pages", "rendering", "transport", "unsubscribing"},
    # Of this service and of browsers; encryption.
    "push": {"keys"},
    # It has no HTTP; what comes in is a file.
    "transfer": {"thread_file"},
}
MAX_LINES = 400
# Modules that handle HTTP messages, besides routes, kit/http and kit/cache. May only shrink.
HANDLING_HTTP = {
    "api/main.py",
    # Dependencies of routes, which FastAPI gives the request.
    "api/auth/dependencies.py",
    "api/auth/quotas.py",
    "api/screening/dependencies.py",
    "api/realtime/dependencies.py",
    "api/kit/dependencies.py",
    # Routes without a domain.
    "api/kit/openapi/docs_page.py",
    "api/kit/probes.py",
    # They give routes whole responses, with tag and content encoding.
    "api/articles/cached_reads.py",
    "api/comments/tree/cached_reads.py",
}
HTTP_TYPES = {"Request", "Response", "HTTPException", "StreamingResponse", "JSONResponse"}
# What may stand before an import: types that would close a circle, modules of one platform.
CONDITION = re.compile(r"TYPE_CHECKING$|sys\.platform [!=]= ")
VAGUE = re.compile(r"(^|_)(utils?|helpers?|common|misc|tools|stuff)(_|$)")


def test_a_domain_has_the_files_of_the_shape() -> None:
    beside = {}
    for domain in find_domains():
        files = {path.stem for path in (ROOT / "api" / domain).glob("*.py")}
        assert "__init__" in files
        if files - SHAPE:
            beside[domain] = files - SHAPE
    assert beside == BESIDE_THE_SHAPE


def test_a_domain_says_what_it_is_for() -> None:
    silent = [
        domain
        for domain in find_domains()
        if not ast.get_docstring(read_modules("api")[f"api/{domain}/__init__.py"])
    ]
    assert silent == []


def test_no_file_is_too_long_to_read() -> None:
    lengths = {
        path: (ROOT / path).read_text(encoding="utf-8").count("\n")
        for path in read_modules("api", "models")
    }
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_name_says_nothing() -> None:
    paths = read_modules("api", "models", "migrations", "tests", "benchmarks")
    parts = {part.removesuffix(".py") for path in paths for part in path.split("/")}
    assert [part for part in sorted(parts) if VAGUE.search(part)] == []


def test_http_types_stop_at_routes_and_their_kit() -> None:
    handling = {
        path
        for path, module in read_modules("api").items()
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").partition(".")[0] in {"fastapi", "starlette"}
        and HTTP_TYPES & {name.name for name in node.names}
        and not path.endswith("/routes.py")
        and not path.startswith(("api/kit/http/", "api/kit/cache/"))
    }
    assert handling == HANDLING_HTTP


def test_imports_stand_at_the_top() -> None:
    late = [
        f"{path}:{node.lineno}"
        for path, module in read_modules("api", "models").items()
        for node in _find_late_imports(module)
    ]
    assert late == []


def _find_late_imports(module: ast.Module) -> Iterator[ast.AST]:
    early: set[ast.AST] = set()
    for statement in module.body:
        early.add(statement)
        if isinstance(statement, ast.If) and CONDITION.match(ast.unparse(statement.test)):
            early |= set(statement.body)
    for node in ast.walk(module):
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in early:
            yield node
