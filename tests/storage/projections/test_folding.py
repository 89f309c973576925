"""What the folds say of an event's form is what its model says."""

from __future__ import annotations

from typing import Any, NotRequired, get_args, get_origin, get_type_hints

import pytest

from protocol.messages import EVENTS
from storage.projections.folding import NOT_PROJECTED, AnyFact

# Kind → the type of its data, as the folds have it.
DATA: dict[str, Any] = {}
for fact in get_args(AnyFact):
    literal, data = get_args(fact)
    DATA[get_args(literal)[0]] = data


def test_every_event_has_a_fact() -> None:
    assert DATA.keys() == EVENTS.keys() - NOT_PROJECTED


@pytest.mark.parametrize("kind", sorted(DATA))
def test_the_data_of_a_fact_have_the_fields_of_its_model(kind: str) -> None:
    fields = EVENTS[kind].model_fields
    assert get_type_hints(DATA[kind]).keys() == {field.alias for field in fields.values()}


@pytest.mark.parametrize("kind", sorted(DATA))
def test_the_data_of_a_fact_lack_what_its_model_may_lack(kind: str) -> None:
    required = {field.alias for field in EVENTS[kind].model_fields.values() if field.is_required()}
    hints = get_type_hints(DATA[kind], include_extras=True)
    assert {field for field, hint in hints.items() if get_origin(hint) is not NotRequired} == required
