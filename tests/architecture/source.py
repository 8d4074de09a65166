"""The source as the architecture tests see it: parsed, never imported."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def read_modules(*packages: str) -> dict[str, ast.Module]:
    """Return the modules below packages of the project, parsed, by their path in it."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def find_domains() -> list[str]:
    """Return the folders of `api/` that are domains."""
    return sorted(
        {path.parent.name for path in (ROOT / "api").glob("*/__init__.py")}
        - {"cli", "embedded", "kit"}
    )
