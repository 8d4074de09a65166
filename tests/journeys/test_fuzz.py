"""Every operation is asked what nobody thought of; the answers must keep what the document says.

The seed is fixed, so that a run can be repeated. To search on with another, and for longer:

    PALAVER_FUZZ_SEED=7 PALAVER_FUZZ_EXAMPLES=500 .venv/bin/pytest -n 2 tests/journeys/test_fuzz.py
"""

import os
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import FlakyStrategyDefinition
from pydantic import SecretStr
from schemathesis import Case
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput

from api.kit.settings import Settings
from api.main import create_app, make_services
from tests.conftest import SECRET
from tests.journeys.fuzzing import CHECKS, Target, close_schemas, serving

EXAMPLES = int(os.environ.get("PALAVER_FUZZ_EXAMPLES", "10"))
SEED = int(os.environ.get("PALAVER_FUZZ_SEED", "1"))
# Requests in a row, and scenarios in a round.
STEPS = 8
ROUND = 20

# No engine is asked for anything: the document comes from the code alone.
_document = create_app(
    make_services(
        Settings(
            database_url="postgresql://localhost/none",
            redis_url="redis://localhost",
            secret_key=SecretStr(SECRET),
        )
    )
).openapi()
schema = schemathesis.openapi.from_dict(
    close_schemas(_document), config=schemathesis.Config(seed=SEED)
)
# A method that a path does not have is 405 or another operation's business.
schema.config.phases.coverage.unexpected_methods = set()
schema.config.checks.negative_data_rejection.expected_statuses = ["4xx"]


@pytest.fixture(scope="module")
def target(database_url: str, redis_url: str) -> Iterator[Target]:
    """A served app of its own, with rate limits off."""
    fuzzed = Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_key=SecretStr(SECRET),
        rate_limits_enabled=False,
        log_level="error",
    )
    with serving(create_app(make_services(fuzzed))) as url, httpx.Client(base_url=url) as http:
        target = Target(url, database_url, http)
        target.prepare()
        yield target


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_document_declares(case: Case, target: Target) -> None:
    target.steer(case)
    case.validate_response(target.send(case), checks=CHECKS)


def test_what_one_answer_names_the_next_request_finds(target: Target) -> None:
    """Operations in a row: ids come from earlier answers, by links that the schemas imply."""

    sent_before = target.sent

    class Machine(schema.as_state_machine()):
        def setup(self) -> None:
            # Hypothesis repeats beginnings, and then wants to see the same again.
            target.prepare()

        def step(self, input: StepInput) -> StepOutput:  # noqa: A002 - its name in the base class
            target.steer(input.case, path=input.transition is None)
            response = target.send(input.case)
            self.after_call(response, input.case)
            input.case.validate_response(response, checks=CHECKS)
            return StepOutput(response, input.case)

    # In short rounds, each with a seed of its own: a server makes other ids each time, and when
    # Hypothesis repeats a beginning and finds that the rest would differ, it ends the round.
    for done in range(0, EXAMPLES, ROUND):
        with suppress(FlakyStrategyDefinition):
            seed(SEED * 100_000 + done)(Machine).run(
                settings=settings(
                    max_examples=min(ROUND, EXAMPLES - done),
                    stateful_step_count=STEPS,
                    phases=[Phase.generate],
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                )
            )
    assert target.sent - sent_before > EXAMPLES
