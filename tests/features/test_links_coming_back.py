"""Many links that come back at once: the project is looked at once for all of them, and none closes a cycle."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from actors.project import order
from protocol.event import Command
from protocol.links import AddLink, LinkAdded, LinkRemoved, LinkType, RemoveLink
from protocol.tasks import CreateTask, EditTask, EditTasks
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from tests.actors.given import MEMBER, OWNER, Life, a_team, broken, happened, refused, uuid
from tests.actors.undoing import newest, restore, seen, undo

ONES = [uuid(0x1000 + number) for number in range(40)]
OTHERS = [uuid(0x2000 + number) for number in range(40)]
LINKS = [uuid(0x3000 + number) for number in range(20)]
"""From the end of the first chain to the begin of the second one."""


def two_chains(type_: LinkType) -> Life:
    """With as many links between them as there are in `LINKS`."""
    life = a_team()
    between = list(zip(LINKS, reversed(ONES), OTHERS, strict=False))
    commands: list[Command] = [CreateTask(task_id=task_id, title="x") for task_id in (*ONES, *OTHERS)]
    commands += [
        AddLink(type=type_, task_id=one, other_id=other)
        for chain in (ONES, OTHERS)
        for one, other in itertools.pairwise(chain)
    ]
    commands += [AddLink(link_id=link, type=type_, task_id=one, other_id=other) for link, one, other in between]
    life.given(*((MEMBER, command) for command in commands))
    return life


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks from which ways were searched."""
    found: list[str] = []
    advance = order._advance

    def watched(edges: Any, front: Any, seen: Any, goal: Any) -> Any:
        found.extend(front)
        return advance(edges, front, seen, goal)

    monkeypatch.setattr(order, "_advance", watched)
    return found


@pytest.mark.parametrize("type_", ["blocks", "duplicates"])
def test_a_restoration_of_a_project_searches_no_way_for_each_link(type_: LinkType, searched: list[str]) -> None:
    life = two_chains(type_)
    point, then = newest(life), seen(life)
    life.given(*((MEMBER, RemoveLink(link_id=link)) for link in LINKS))
    without = seen(life)
    searched.clear()
    _, *changes = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert [type(change) for change in changes] == [LinkAdded] * len(LINKS)
    assert (searched, seen(life)) == ([], then)
    happened(undo(life, newest(life), OWNER))
    assert seen(life) == without
    assert life.replayed() == life.state


@pytest.mark.parametrize("type_", ["blocks", "duplicates"])
def test_nor_does_what_takes_their_removal_back(type_: LinkType, searched: list[str]) -> None:
    life = two_chains(type_)
    then = seen(life)
    before_links = newest(life) - len(LINKS)
    happened(restore(life, RestoreProjectTo(as_of=before_links), OWNER))
    assert len(seen(life)["links"]) == len(then["links"]) - len(LINKS)
    searched.clear()
    back = happened(undo(life, newest(life), OWNER))
    assert sum(isinstance(event, LinkAdded) for event in back) == len(LINKS)
    assert (searched, seen(life)) == ([], then)


def test_a_task_gets_its_links_back_without_a_search_for_each(searched: list[str]) -> None:
    life = two_chains("blocks")
    life.given(*((MEMBER, AddLink(type="blocks", task_id=ONES[-1], other_id=other)) for other in OTHERS[1:20]))
    point, then = newest(life), seen(life)
    own = [link["id"] for link in life.state.links.values() if link["taskId"] == ONES[-1]]
    life.given(*((MEMBER, RemoveLink(link_id=link)) for link in own))
    searched.clear()
    happened(restore(life, RestoreTaskTo(task_id=ONES[-1], as_of=point), OWNER))
    assert (searched, seen(life)) == ([], then)


def test_a_link_whose_id_says_the_contrary_by_now_goes_before_any_comes_back(searched: list[str]) -> None:
    life = two_chains("blocks")
    point, then = newest(life), seen(life)
    life.given(*((MEMBER, RemoveLink(link_id=link)) for link in LINKS))
    contrary = AddLink(link_id=LINKS[-1], type="blocks", task_id=OTHERS[-1], other_id=ONES[0])
    life.given((MEMBER, contrary))
    searched.clear()
    _, first, *changes = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert isinstance(first, LinkRemoved)
    assert [type(change) for change in changes] == [LinkAdded] * len(LINKS)
    assert (searched, seen(life)) == ([], then)


CHILDREN = [uuid(0x4000 + number) for number in range(10)]


def with_children() -> Life:
    """Tasks that many others come before, under one that comes before many."""
    life = two_chains("blocks")
    for child in CHILDREN:
        life.given(
            (MEMBER, CreateTask(task_id=child, title="x", parent_id=OTHERS[0])),
            (MEMBER, AddLink(type="blocks", task_id=ONES[-1], other_id=child)),
        )
    return life


def under(parent_id: str | None) -> EditTasks:
    return EditTasks(edits=[EditTask(task_id=child, parent_id=parent_id) for child in CHILDREN])


def test_parents_come_back_without_a_search_for_each(searched: list[str]) -> None:
    life = with_children()
    point, then = newest(life), seen(life)
    life.given(*((MEMBER, EditTask(task_id=child, parent_id=None)) for child in CHILDREN))
    searched.clear()
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert (searched, seen(life)) == ([], then)


def test_nor_does_one_command_that_gives_many_a_parent_search_for_each(searched: list[str]) -> None:
    life = with_children()
    then = seen(life)
    life.given((MEMBER, under(None)))
    searched.clear()
    happened(undo(life, newest(life), MEMBER))
    assert (searched, seen(life)) == ([], then)
    life.given((MEMBER, under(None)))
    searched.clear()
    life.given((MEMBER, under(OTHERS[0])))
    assert (searched, seen(life)) == ([], then)


CIRCLE = [EditTask(task_id=ONES[0], parent_id=OTHERS[-1]), EditTask(task_id=OTHERS[-1], parent_id=ONES[0])]
"""Both together would close a cycle with all that the children lie between."""


def test_of_edits_that_are_searched_too_long_the_last_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    life = with_children()
    life.given((MEMBER, under(None)))
    monkeypatch.setattr(order, "MET_IN_A_DRAFT_MAX", 200)
    events = happened(life.decide(EditTasks(edits=[*CIRCLE, *under(OTHERS[0]).edits]), MEMBER))
    items = life.actor.answer(events)["items"]
    reasons = [item.get("error", {}).get("details", {}).get("reason") for item in items]
    assert reasons[:3] == [None, "cycle", None]
    assert reasons[-1] == "search_limit"


def in_the_way() -> Life:
    """What would close a cycle as long as it stands there, when all comes back; the children had parents before."""
    life = with_children()
    life.given(*((MEMBER, RemoveLink(link_id=link)) for link in LINKS))
    edits = [*under(None).edits, EditTask(task_id=OTHERS[-1], parent_id=ONES[0])]
    life.given((MEMBER, EditTasks(edits=edits)))
    return life


def test_what_stands_in_the_way_at_first_does_not_make_an_undo_search_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    life = in_the_way()
    monkeypatch.setattr(order, "MET_IN_A_DRAFT_MAX", 200)
    happened(undo(life, newest(life), MEMBER))
    assert all(life.state.tasks[child]["parentId"] == OTHERS[0] for child in CHILDREN)


def test_a_restoration_that_is_searched_too_long_goes_on_in_another_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    life = in_the_way()
    point = newest(life) - 1
    monkeypatch.setattr(order, "MET_IN_A_DRAFT_MAX", 50)
    remaining: list[int] = []
    while not remaining or remaining[-1]:
        events = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
        remaining.append(life.actor.answer(events)["remaining"])
        assert len(remaining) <= len(CHILDREN)
    assert len(remaining) > 1
    assert all(life.state.tasks[child]["parentId"] == OTHERS[0] for child in CHILDREN)


def test_an_undo_that_is_searched_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    life = in_the_way()
    monkeypatch.setattr(order, "MET_IN_A_DRAFT_MAX", 0)
    assert refused(undo(life, newest(life), MEMBER)) == broken("search_limit")
