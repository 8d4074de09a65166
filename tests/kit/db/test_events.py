"""Events as the outbox keeps them."""

import dataclasses
import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.comments.events import CommentCreated
from api.effects import EFFECTS
from api.kit.db.events import Event

ids = st.uuids()
events = st.sampled_from(sorted(EFFECTS.event_types)).flatmap(
    lambda name: st.from_type(EFFECTS.event_types[name])
)


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
    assert len(EFFECTS.event_types) == len(list(EFFECTS))
    assert all(kind.type == name for name, kind in EFFECTS.event_types.items())


# Names that the code knows, of phases and of fields: nothing that people wrote.
NAMES = {"ArticleFlagged.phases", "ArticleModerated.changed"}


@pytest.mark.parametrize("kind", EFFECTS.event_types.values(), ids=lambda kind: kind.__name__)
def test_an_event_holds_ids_and_numbers_but_no_text(kind: type[Event]) -> None:
    for field in dataclasses.fields(kind):
        if f"{kind.__name__}.{field.name}" not in NAMES:
            assert "str" not in str(field.type), field.name
