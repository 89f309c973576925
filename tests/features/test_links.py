"""Links: who may make them, which are the same, and that no cycle of them ever closes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from actors.project.limits import ProjectLimits
from actors.project.links import list_links, view_link
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command
from protocol.links import AddLink, LinkAdded, LinkRemoved, LinkType, RemoveLink
from protocol.projects import DeleteProject, EditProject
from protocol.tasks import CreateTask, DeleteTask, EditTask, RestoreTask
from tests.actors.given import (
    ALREADY_EXISTS,
    COMMENTER,
    FORBIDDEN,
    LATER,
    LONG_AGO,
    MATZ,
    MEMBER,
    NOT_FOUND,
    NOW,
    OWNER,
    STRANGER,
    VIEWER,
    Life,
    a_team,
    as_imported,
    broken,
    happened,
    project_state,
    refused,
    uuid,
)

A, B, C, D = (uuid(0x200 + number) for number in range(1, 5))
LINK, OTHER_LINK = uuid(0x251), uuid(0x252)
ORDERING: list[LinkType] = ["blocks", "precedes"]
CYCLE = broken("cycle")


def four_tasks(limits: ProjectLimits | None = None) -> Life:
    """APOLLO-1 to APOLLO-4."""
    life = a_team(limits)
    life.given(*((MEMBER, CreateTask(task_id=task_id, title="x")) for task_id in (A, B, C, D)))
    return life


def link(first: str, type_: LinkType, other: str, link_id: str | None = None) -> AddLink:
    named = {} if link_id is None else {"link_id": link_id}
    return AddLink(type=type_, task_id=first, other_id=other, **named)


def linked(*commands: Command) -> Life:
    life = four_tasks()
    life.given(*((MEMBER, command) for command in commands))
    return life


def test_a_link_says_who_made_it_and_when() -> None:
    life = four_tasks()
    [added] = happened(life.send(link(A, "blocks", B, LINK), MEMBER))
    record = {"id": LINK, "type": "blocks", "taskId": A, "otherId": B, "createdBy": MEMBER.id, "createdAt": NOW}
    assert added == LinkAdded(link=record)  # type: ignore[arg-type]
    assert life.actor.answer([added]) == {"linkId": LINK}
    assert life.state.links == {LINK: record}
    [removed] = happened(life.send(RemoveLink(link_id=LINK), MEMBER, now=LATER))
    assert removed == LinkRemoved(link_id=LINK, was=record)  # type: ignore[arg-type]
    assert life.state.links == {}
    assert refused(life.decide(RemoveLink(link_id=LINK), MEMBER)) == NOT_FOUND


def test_who_may_not_edit_tasks_links_none() -> None:
    life = linked(link(A, "blocks", B, LINK))
    for person, answer in ((VIEWER, FORBIDDEN), (COMMENTER, FORBIDDEN), (STRANGER, NOT_FOUND)):
        assert refused(life.decide(link(C, "blocks", D), person)) == answer
        assert refused(life.decide(RemoveLink(link_id=LINK), person)) == answer


def test_both_tasks_and_the_link_have_to_be_there() -> None:
    life = linked(link(A, "blocks", B, LINK))
    for first, other in ((uuid(1), A), (A, uuid(1))):
        assert refused(life.decide(link(first, "relates", other), MEMBER)) == NOT_FOUND
    assert refused(life.decide(link(C, "blocks", D, LINK), MEMBER)) == ALREADY_EXISTS
    assert refused(life.decide(RemoveLink(link_id=OTHER_LINK), MEMBER)) == NOT_FOUND


@pytest.mark.parametrize("type_", ["blocks", "precedes", "relates", "duplicates"])
def test_no_task_is_linked_to_itself_and_none_twice_in_the_same_way(type_: LinkType) -> None:
    life = linked(link(A, type_, B, LINK))
    assert refused(life.decide(link(C, type_, C), MEMBER)) == broken("self_link")
    twice = life.decide(link(A, type_, B), MEMBER)
    assert isinstance(twice, Rejection)
    assert (twice.code, twice.details) == (ErrorCode.ALREADY_EXISTS, {"what": "link", "linkId": LINK})


def test_relates_has_no_direction() -> None:
    life = linked(link(A, "relates", B, LINK))
    assert refused(life.decide(link(B, "relates", A), MEMBER)) == ALREADY_EXISTS


def test_one_pair_may_have_a_link_of_each_type() -> None:
    life = linked(*(link(A, type_, B) for type_ in ("blocks", "precedes", "relates", "duplicates")))
    assert len(life.state.links) == 4


@pytest.mark.parametrize("first", ORDERING)
@pytest.mark.parametrize("second", ORDERING)
def test_blocking_and_preceding_close_no_cycle_together(first: LinkType, second: LinkType) -> None:
    life = linked(link(A, first, B), link(B, second, C, LINK))
    refusal = life.decide(link(C, second, A), MEMBER)
    assert refused(refusal) == CYCLE
    assert isinstance(refusal, Rejection)
    [one, two, three] = refusal.details["cycle"]
    assert one == {"taskId": C, "key": "APOLLO-3", "deleted": False, "by": second}
    assert (two["taskId"], two["by"]) == (A, first)
    assert three == {"taskId": B, "key": "APOLLO-2", "deleted": False, "by": second, "linkId": LINK}
    assert refusal.details["length"] == 3
    assert "APOLLO-3 → APOLLO-1 → APOLLO-2 → APOLLO-3" in refusal.message


def test_subtasks_come_before_their_parents() -> None:
    life = linked(EditTask(task_id=B, parent_id=A))
    refusal = life.decide(link(A, "blocks", B), MEMBER)
    assert refused(refusal) == CYCLE
    assert isinstance(refusal, Rejection)
    assert [(step["taskId"], step["by"]) for step in refusal.details["cycle"]] == [(A, "blocks"), (B, "parent")]
    happened(life.send(link(B, "blocks", A), MEMBER))
    happened(life.send(link(C, "precedes", B), MEMBER))
    assert refused(life.decide(link(A, "precedes", C), MEMBER)) == CYCLE
    assert refused(life.decide(EditTask(task_id=A, parent_id=C), MEMBER)) == CYCLE


def test_what_says_nothing_about_order_may_go_in_circles() -> None:
    life = linked(link(A, "blocks", B))
    life.given(*((MEMBER, link(first, "relates", other)) for first, other in ((A, B), (B, C), (C, A))))


def test_a_removed_link_no_longer_stands_in_the_way_and_a_second_reason_still_does() -> None:
    life = linked(link(A, "blocks", B, LINK), link(A, "precedes", B, OTHER_LINK), RemoveLink(link_id=LINK))
    assert refused(life.decide(link(B, "blocks", A), MEMBER)) == CYCLE
    life.given((MEMBER, RemoveLink(link_id=OTHER_LINK)), (MEMBER, link(B, "blocks", A)))
    assert refused(life.decide(link(A, "blocks", B), MEMBER)) == CYCLE


def test_a_long_cycle_is_named_up_to_a_limit() -> None:
    life = a_team()
    tasks = [uuid(0x5000 + number) for number in range(80)]
    life.given(*((MEMBER, CreateTask(task_id=task, title="x")) for task in tasks))
    life.given(*((MEMBER, link(one, "blocks", next_)) for one, next_ in itertools.pairwise(tasks)))
    refusal = life.decide(link(tasks[-1], "blocks", tasks[0]), MEMBER)
    assert isinstance(refusal, Rejection)
    assert (len(refusal.details["cycle"]), refusal.details["length"]) == (50, 80)
    assert refusal.message.endswith("→ …")


def test_links_of_a_deleted_task_are_hidden_count_and_come_back() -> None:
    life = linked(link(A, "blocks", B, LINK), link(B, "blocks", C, OTHER_LINK), DeleteTask(task_id=B))
    state = project_state(life)
    assert list_links(state, VIEWER) == []
    assert refused(view_link(state, VIEWER, LINK)) == NOT_FOUND
    assert refused(list_links(state, VIEWER, B)) == NOT_FOUND
    assert refused(life.decide(link(B, "relates", D), MEMBER)) == broken("task_deleted")
    assert refused(life.decide(link(D, "relates", B), MEMBER)) == broken("task_deleted")
    refusal = life.decide(link(C, "blocks", A), MEMBER)
    assert refused(refusal) == CYCLE
    assert isinstance(refusal, Rejection)
    assert [step["deleted"] for step in refusal.details["cycle"]] == [False, False, True]
    life.given((MEMBER, RestoreTask(task_id=B)))
    assert [one["id"] for one in happened_list(list_links(state, VIEWER))] == [LINK, OTHER_LINK]


def test_a_hidden_link_can_be_taken_out_of_the_way() -> None:
    life = linked(link(A, "blocks", B, LINK), link(B, "blocks", C), DeleteTask(task_id=B), RemoveLink(link_id=LINK))
    happened(life.send(link(C, "blocks", A), MEMBER))
    happened(life.send(RestoreTask(task_id=B), MEMBER))
    assert refused(life.decide(link(A, "blocks", B), MEMBER)) == CYCLE


def test_links_are_listed_by_id_of_all_tasks_or_of_one() -> None:
    ids = [uuid(0x700 - number) for number in range(3)]
    life = linked(
        link(A, "blocks", B, ids[0]),
        link(C, "relates", A, ids[1]),
        link(C, "precedes", D, ids[2]),
    )
    state = project_state(life)
    first = happened_list(list_links(state, VIEWER, None, None, 2))
    rest = happened_list(list_links(state, VIEWER, None, first[-1]["id"], 2))
    assert [one["id"] for one in [*first, *rest]] == sorted(ids)
    assert [one["id"] for one in happened_list(list_links(state, VIEWER, A))] == [ids[1], ids[0]]
    assert refused(list_links(state, VIEWER, uuid(1))) == NOT_FOUND
    assert refused(list_links(state, STRANGER)) == NOT_FOUND
    assert view_link(state, VIEWER, ids[0]) == state.links[ids[0]]
    assert refused(view_link(state, STRANGER, ids[0])) == NOT_FOUND


def happened_list(found: Any) -> list[Any]:
    assert isinstance(found, list), found
    return found


def test_links_are_bounded() -> None:
    few = four_tasks(ProjectLimits(links_max=1))
    few.given((MEMBER, link(A, "blocks", B)))
    assert refused(few.decide(link(C, "blocks", D), MEMBER)) == broken("links_limit")
    for more in (link(A, "relates", C), link(C, "relates", B)):
        one_each = four_tasks(ProjectLimits(links_per_task_max=1))
        one_each.given((MEMBER, link(A, "blocks", B)))
        assert refused(one_each.decide(more, MEMBER)) == broken("task_links_limit")


def test_archived_and_deleted_projects_keep_their_links_as_they_are() -> None:
    life = linked(link(A, "blocks", B, LINK))
    life.given((OWNER, EditProject(status="Archived")))
    for command in (link(C, "blocks", D), RemoveLink(link_id=LINK)):
        assert refused(life.decide(command, MEMBER)) == broken("project_archived")
    life.given((OWNER, DeleteProject()))
    assert refused(life.decide(link(C, "blocks", D), OWNER)) == broken("project_deleted")
    assert refused(life.decide(link(C, "blocks", D), MEMBER)) == NOT_FOUND


def test_history_brings_its_links() -> None:
    life = a_team()
    for task_id in (A, B):
        happened(life.send(CreateTask(task_id=task_id, title="Old"), OWNER, origin=as_imported()))
    [added] = happened(life.send(link(A, "blocks", B), OWNER, origin=as_imported()))
    assert (added.link["createdBy"], added.link["createdAt"]) == (MATZ, LONG_AGO)
    assert refused(life.decide(link(B, "blocks", A), OWNER, origin=as_imported())) == CYCLE


def test_duplicates_of_each_other_are_refused_also_over_several_steps() -> None:
    life = linked(link(A, "duplicates", B), link(B, "duplicates", C))
    for last in (B, C):
        assert refused(life.decide(link(last, "duplicates", A), MEMBER)) == CYCLE
    assert happened(life.decide(link(A, "duplicates", C), MEMBER))
    assert happened(life.decide(link(D, "duplicates", A), MEMBER))
