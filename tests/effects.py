"""The shipped table of effects, with one row replaced."""

from typing import Any

from api.effects import EFFECTS
from api.kit.effects import Effect, EffectTable


def replace_effect(effect: Effect[Any]) -> EffectTable:
    """Return the shipped table with another effect for one event."""
    others = (shipped for shipped in EFFECTS if shipped.event_type is not effect.event)
    return EffectTable((*others, effect))
