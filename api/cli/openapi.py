"""`palaver openapi`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from api.cli.environment import load_settings
from api.main import create_app, make_services


def write_document(
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it; without it, it is printed.")
    ] = None,
) -> None:
    """Write the OpenAPI document, from the code alone."""
    # No engine is connected to: the addresses only have to be set.
    settings = load_settings(
        database_url="postgresql://localhost/none",
        redis_url="redis://localhost",
        secret_key=SecretStr("x" * 32),
    )
    document = create_app(make_services(settings)).openapi()
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
