"""A clock that stands: a retry that is due in a second comes when the test says so."""

import pytest

from tests.conftest import MovableClock


@pytest.fixture
def clock(clock: MovableClock) -> MovableClock:
    clock.stop()
    return clock
