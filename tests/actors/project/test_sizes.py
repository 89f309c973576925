"""How much an entry may hold: whatever one command did can be taken back, and done again."""

from __future__ import annotations

import pytest

from actors.project import custom_fields, rewinding, sizes
from actors.project.limits import ProjectLimits
from actors.runtime.actor import Decision
from protocol.comments import AddComment, CommentRestored, DeleteComment, EditComment
from protocol.custom_fields import Choice, DefineField, EditField, FieldValuesSet, RemoveField
from protocol.errors import ErrorCode
from protocol.event import Command
from protocol.tasks import CreateTask, EditTask, EditTasks
from protocol.timetravel import RestoreProjectTo
from tests.actors.given import (
    ADMIN,
    COMMENT,
    MEMBER,
    OWNER,
    TASK,
    VIEWER,
    Life,
    a_task,
    a_team,
    broken,
    events_of,
    happened,
    refused,
    uuid,
)
from tests.actors.undoing import newest, redo, restore, seen, undo

FIELD = uuid(0x900)
LONG = 90_000


def there_and_back(life: Life, *commands: int) -> None:
    """Undoes the newest first, redoes them all, and undoes them again."""
    after = seen(life)
    for seq in reversed(commands):
        happened(undo(life, seq, OWNER))
    before = seen(life)
    for seq in commands:
        happened(redo(life, seq, OWNER))
    assert seen(life) == after
    for seq in reversed(commands):
        happened(undo(life, seq, OWNER))
    assert seen(life) == before
    assert life.replayed() == life.state


def test_a_way_back_that_took_several_entries_is_taken_back_entry_by_entry() -> None:
    life, tasks = a_team(), [uuid(0xA00 + number) for number in range(8)]
    life.given(*((OWNER, CreateTask(task_id=one, title="t", description="a" * LONG)) for one in tasks))
    point = newest(life)
    life.given(*((OWNER, EditTask(task_id=one, description="b" * LONG)) for one in tasks))
    before, taken = seen(life), _restored(life, point)
    assert len(taken) > 1
    there_and_back(life, *taken)
    assert seen(life) == before


def test_so_is_one_that_took_comments_with_their_histories_away() -> None:
    life, comments = a_task(), [uuid(0xA00 + number) for number in range(8)]
    point = newest(life)
    for one in comments:
        life.given((OWNER, AddComment(comment_id=one, task_id=TASK, body="a" * LONG)))
        life.given(*((OWNER, EditComment(comment_id=one, body=letter * LONG)) for letter in "bcd"))
    before, taken = seen(life), _restored(life, point)
    assert len(taken) > 1, "a deleted comment counts what would come back"
    there_and_back(life, *taken)
    assert seen(life) == before


def _restored(life: Life, point: int) -> list[int]:
    """The entries that changed something: the last piece may have had nothing to do."""
    taken: list[int] = []
    while True:
        [marker, *changes] = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
        taken += [newest(life)] if changes else []
        if marker.remaining == 0:
            return taken


def a_field_with_values(tasks: int, length: int) -> Life:
    life = a_team()
    life.given((OWNER, DefineField(field_id=FIELD, name="Notes", type="text")))
    life.given(*((OWNER, CreateTask(title="t", fields={FIELD: "v" * length})) for _ in range(tasks)))
    return life


def test_a_field_comes_back_with_all_its_values() -> None:
    life = a_field_with_values(270, 1900)
    life.given((OWNER, RemoveField(field_id=FIELD)))
    there_and_back(life, newest(life))
    assert all(len(task["fields"][FIELD]) == 1900 for task in life.state.tasks.values())


def test_a_field_does_not_go_with_more_values_than_could_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    life = a_field_with_values(3, 100)
    for module, name in ((custom_fields, "FIELD_CHARACTERS_MAX"), (rewinding, "ENTRY_CHARACTERS_MAX")):
        monkeypatch.setattr(module, name, 3 * (100 + sizes.VALUE_CHARACTERS) - 1)
    assert refused(life.send(RemoveField(field_id=FIELD), OWNER)) == broken("field_values_limit")
    _emptied_before_it_goes(life)


def test_nor_does_one_with_more_values_than_an_entry_of_a_way_back_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewinding, "EVENTS_MAX", 2)
    _emptied_before_it_goes(a_field_with_values(3, 1))


def _emptied_before_it_goes(life: Life) -> None:
    before, taken = seen(life), _restored(life, newest(life) - 4)
    assert life.state.fields == {}
    changed = [event for seq in taken for event in events_of(life.entries[seq - 1])]
    assert any(isinstance(event, FieldValuesSet) for event in changed), "its tasks give values up before it goes"
    for seq in reversed(taken):
        happened(undo(life, seq, OWNER))
    assert seen(life) == before


SHORT = [f"{number:02d}" for number in range(10)]
TASKS = [uuid(0xA00 + number) for number in range(4)]
COMMENTS = [uuid(0xB00 + number) for number in range(4)]
PEOPLE = [OWNER, ADMIN, MEMBER, VIEWER]
CHOICES: list[Choice] = [{"id": name, "name": name} for name in SHORT]

MANY_ITEMS: dict[str, tuple[list[Command], list[Command]]] = {
    "labels": ([], [EditTask(task_id=one, add_labels=SHORT) for one in TASKS]),
    "labels that are gone": (
        [EditTask(task_id=one, add_labels=SHORT) for one in TASKS],
        [EditTask(task_id=one, remove_labels=SHORT) for one in TASKS],
    ),
    "people": ([], [EditTask(task_id=one, add_assignees=[person.id for person in PEOPLE]) for one in TASKS]),
    "edits of comments": (
        [
            *(AddComment(comment_id=comment, task_id=TASKS[0], body="c") for comment in COMMENTS),
            *(EditComment(comment_id=comment, body=text) for comment in COMMENTS for text in SHORT),
        ],
        [DeleteComment(comment_id=comment) for comment in COMMENTS],
    ),
    "edits of new comments": (
        [],
        [
            *(AddComment(comment_id=comment, task_id=TASKS[0], body="c") for comment in COMMENTS),
            *(EditComment(comment_id=comment, body=text) for comment in COMMENTS for text in SHORT),
        ],
    ),
    "choices": (
        [DefineField(field_id=FIELD, name="Size", type="choice", choices=CHOICES[:1])],
        [
            EditField(field_id=FIELD, add_choices=CHOICES[1:]),
            *(EditTask(task_id=one, title="u") for one in TASKS),
        ],
    ),
}


@pytest.mark.parametrize("what", MANY_ITEMS)
def test_many_short_items_end_an_entry_as_long_texts_do(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(rewinding, "ENTRY_CHARACTERS_MAX", 8 * sizes.VALUE_CHARACTERS)
    before, after = MANY_ITEMS[what]
    life = a_team()
    life.given(*((OWNER, CreateTask(task_id=one, title="t")) for one in TASKS), *((OWNER, one) for one in before))
    point, then = newest(life), seen(life)
    life.given(*((OWNER, one) for one in after))
    now, taken = seen(life), _restored(life, point)
    assert len(taken) > 1
    assert seen(life)["tasks"] == then["tasks"]
    for seq in reversed(taken):
        happened(undo(life, seq, OWNER))
    assert seen(life) == now


def test_a_comment_comes_back_with_all_its_history() -> None:
    life = a_task()
    life.given((OWNER, AddComment(comment_id=COMMENT, task_id=TASK, body="a" * LONG)))
    for number in range(100):
        if isinstance(life.send(EditComment(comment_id=COMMENT, body=chr(0x4E00 + number) * LONG), OWNER), Decision):
            continue
        break
    history = life.state.comments[COMMENT]["edits"]
    assert sum(len(edit["body"]) for edit in history) > sizes.ENTRY_CHARACTERS_MAX
    life.given((OWNER, DeleteComment(comment_id=COMMENT)))
    there_and_back(life, newest(life))
    assert life.state.comments[COMMENT]["edits"] == history


def test_a_comment_comes_back_however_long_a_history_the_operator_allows() -> None:
    limits = ProjectLimits(comment_history_characters_max=10_000_000)
    life = a_team(limits)
    life.given((OWNER, CreateTask(task_id=TASK, title="t")))
    life.given((OWNER, AddComment(comment_id=COMMENT, task_id=TASK, body="a" * LONG)))
    life.given(*((OWNER, EditComment(comment_id=COMMENT, body=chr(0x4E00 + one) * LONG)) for one in range(60)))
    life.given((OWNER, DeleteComment(comment_id=COMMENT)))
    [_, restored] = happened(undo(life, newest(life), OWNER))
    assert isinstance(restored, CommentRestored)
    assert len(restored.edits) == 60


def test_an_undo_that_own_later_changes_have_made_too_large_says_to_begin_with_them() -> None:
    life, tasks = a_team(), [uuid(0xA00 + number) for number in range(50)]
    life.given(*((MEMBER, CreateTask(task_id=one, title="t")) for one in tasks))
    life.given((MEMBER, EditTasks(edits=[EditTask(task_id=one, description="short") for one in tasks])))
    edited = newest(life)
    life.given(*((MEMBER, EditTask(task_id=one, description="b" * 100_000)) for one in tasks))
    assert refused(undo(life, edited, MEMBER)) == (ErrorCode.TOO_LARGE, None)
    for seq in range(newest(life), edited - 1, -1):
        happened(undo(life, seq, MEMBER))
    assert all(task["description"] == "" for task in life.state.tasks.values())
