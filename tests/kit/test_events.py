"""Events as the outbox keeps them."""

import dataclasses
import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.comments.events import CommentCreated
from api.effects import EFFECTS, EVENT_TYPES
from api.kit.events import Event

ids = st.uuids()
events = st.sampled_from(sorted(EVENT_TYPES)).flatmap(lambda name: st.from_type(EVENT_TYPES[name]))


@given(events)
def test_an_event_comes_back_from_json_as_it_was(event: Event) -> None:
    kept = json.loads(json.dumps(event.to_payload()))
    assert type(event).from_payload(kept) == event


def test_what_a_newer_release_adds_is_ignored() -> None:
    event = CommentCreated(
        article_id=UUID(int=1),
        version=2,
        comment_id=UUID(int=3),
        parent_id=None,
        author_id=UUID(int=4),
        mentioned_ids=(UUID(int=5),),
    )
    assert CommentCreated.from_payload({**event.to_payload(), "mood": "glad"}) == event


def test_each_type_of_event_has_a_name_of_its_own() -> None:
    assert len(EVENT_TYPES) == len(EFFECTS)
    assert all(kind.type == name for name, kind in EVENT_TYPES.items())


@pytest.mark.parametrize("kind", EFFECTS, ids=lambda kind: kind.__name__)
def test_an_event_holds_ids_and_numbers_but_no_text(kind: type[Event]) -> None:
    for field in dataclasses.fields(kind):
        assert "str" not in str(field.type), field.name
