"""The service's settings inside a probe."""

from typing import Any

from pydantic import SecretStr

from api.kit.logs import configure_logging
from api.kit.settings import Settings
from benchmarks.servers import SECRET


def make_settings(task: dict[str, Any]) -> Settings:
    """Return the settings that the measured service has, from a probe's input.

    Logs go to standard error from here on: standard output is for the probe's response alone.
    """
    settings = Settings(
        database_url=task["database_url"],
        redis_url=task["redis_url"],
        secret_key=SecretStr(SECRET),
        rate_limits_enabled=False,
        log_level="warning",
    )
    configure_logging(settings)
    return settings
