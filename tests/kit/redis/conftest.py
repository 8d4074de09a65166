"""A Valkey for each module, and a clock that tests set."""

from collections.abc import Iterator

import pytest

from tests.kit.redis.valkey import Valkey


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.3

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    valkey = Valkey(tmp_path_factory.mktemp("valkey"))
    valkey.start()
    yield valkey
    valkey.kill()


@pytest.fixture
def clock() -> Clock:
    return Clock()
