from typing import Any

import pytest
from pydantic import SecretStr

from api.kit.settings import Settings
from api.main import create_app, make_services


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The OpenAPI document as the code generates it; no engine is asked for anything."""
    settings = Settings(
        database_url="postgresql://localhost/none",
        redis_url="redis://localhost",
        secret_key=SecretStr("x" * 32),
    )
    generated: dict[str, Any] = create_app(make_services(settings)).openapi()
    return generated
