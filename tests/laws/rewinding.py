"""Projects that go back to random points of their past, on and back again."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from actors.runtime.actor import Decision
from protocol.timetravel import RestoreProjectTo
from tests.actors.given import OWNER, Life, events_of
from tests.actors.undoing import restore, seen, state_before, undo
from tests.laws.undoing import PEOPLE, Story, visible

STEPS = 60
PARTS_MAX = 1000


def shown(state: Any, members: Any) -> dict[str, Any]:
    """What a restoration brings back: not who watches and reacts, and nobody who has left."""
    life = Life.__new__(Life)
    life.state = state
    found = seen(life)
    for task in found["tasks"].values():
        del task["rank"], task["watcherIds"]
        task["assigneeIds"] = [one for one in task["assigneeIds"] if one in members]
    for comment in found["comments"].values():
        del comment["reactions"]
    found["fields"] = {key: {**one, "choices": None} for key, one in found["fields"].items()}
    shows = [task_id for task_id, task in found["tasks"].items() if not task["deletedAt"]]
    orders = {state_id: [one for _, one in cards if one in shows] for state_id, cards in state.cards.items()}
    for task in found["tasks"].values():
        if task["deletedAt"]:
            del task["stateId"]
    return {**found, "orders": {state_id: order for state_id, order in orders.items() if order}}


def expected(past: Any, now: Any, members: Any) -> dict[str, Any]:
    """The past, and tombstones of what has been made since."""
    then = shown(past, members)
    made = [one for one in now.tasks if one not in past.tasks]
    for task_id in made:
        then["tasks"][task_id] = "a tombstone"
    for comment_id in now.comments:
        if comment_id not in past.comments:
            then["comments"][comment_id] = "a tombstone"
    return then


def found(state: Any, past: Any, members: Any) -> dict[str, Any]:
    """The state in the same words."""
    now = shown(state, members)
    for name, known in (("tasks", past.tasks), ("comments", past.comments)):
        for record_id, record in now[name].items():
            if record_id not in known:
                assert record["deletedAt"], "what was made since is still there"
                now[name][record_id] = "a tombstone"
    return now


def go_back(story: Story, seq: int) -> list[int]:
    """Restores the project to the seq; the seqs of the entries that it took."""
    taken: list[int] = []
    while not taken or _remaining(story.life) > 0:
        assert len(taken) < PARTS_MAX, "it never comes to an end"
        outcome = restore(story.life, RestoreProjectTo(as_of=seq), OWNER, story.now())
        assert isinstance(outcome, Decision), outcome
        taken.append(len(story.life.entries))
        story.follow()
        story.check()
    return taken


def _remaining(life: Life) -> int:
    remaining: int = events_of(life.entries[-1])[0].remaining  # type: ignore[attr-defined]
    return remaining


def _left(life: Life) -> list[str]:
    left: list[str] = events_of(life.entries[-1])[0].left  # type: ignore[attr-defined]
    return left


def live(rounds: int, seed: int = 1) -> Counter[str]:
    """So many restorations, each undone again or gone on from."""
    chance, happened = Random(seed), Counter[str]()
    while happened["restorations"] < rounds:
        story = Story(chance)
        for _ in range(4):
            for _ in range(STEPS):
                story.step()
            _there_and_back(story, chance, happened)
        story.check()
    return happened


def _there_and_back(story: Story, chance: Random, happened: Counter[str]) -> None:
    life = story.life
    seq = chance.randrange(len(PEOPLE) + 3, len(life.entries) + 1)
    past, before = state_before(life, seq + 1), visible(life)
    taken = go_back(story, seq)
    members = life.state.members
    now, then = found(life.state, past, members), expected(past, life.state, members)
    if "states" in _left(life):  # beside a tombstone's own, perhaps, which nobody sees
        assert now["project"].pop("states") != then["project"].pop("states")
        happened["states left"] += 1
    assert now == then, f"it is not as it was at {seq}"
    happened["restorations"] += 1
    happened["events"] += sum(len(events_of(life.entries[one - 1])) for one in taken)
    if chance.random() < 0.7:
        for one in reversed(taken):
            if len(events_of(life.entries[one - 1])) > 1:
                outcome = undo(life, one, OWNER, story.now())
                assert isinstance(outcome, Decision), outcome
                story.follow()
        assert visible(life) == before, "the undo of a restoration leads elsewhere"
        happened["undone"] += 1
