"""What followers let each other see: the newest of each place, told once, gone with the place."""

from __future__ import annotations

from typing import Any

from actors.runtime.awareness import Awareness
from actors.runtime.hub import Following, StreamHub
from actors.runtime.ring import Ring
from protocol.cursors import Cursor
from tests.actors.runtime.publications import Watcher, publication


def a_hub(states_max: int = 10) -> StreamHub:
    return StreamHub("notes/1", Ring(Cursor(5, 1), 100, 1 << 20), states_max)


def put(hub: StreamHub, following: Following, state: dict[str, Any] | None) -> bool:
    user = following.follower.principal.id
    return hub.awareness.put(following, Awareness(f"of {user}", user, state))


def test_the_newest_state_of_everybody_is_told_once() -> None:
    hub, ann, ben = a_hub(), Watcher("ann"), Watcher("ben")
    of_ann, of_ben = hub.attach(ann, 5, 5), hub.attach(ben, 5, 5)
    for state in ({"at": 1}, {"at": 2}):
        assert put(hub, of_ann, state)
    assert put(hub, of_ben, {"at": 3})
    hub.tell_awareness()
    hub.tell_awareness()
    assert ann.states == ben.states == [{"ann": {"at": 2}, "ben": {"at": 3}}]
    assert [awareness.user_id for awareness in hub.awareness.of_others(of_ann)] == ["ben"]


def test_a_state_that_was_taken_back_is_told_as_none() -> None:
    hub, ann = a_hub(), Watcher("ann")
    following = hub.attach(ann, 5, 5)
    assert put(hub, following, None)
    hub.tell_awareness()
    assert not ann.states
    put(hub, following, {"at": 1})
    put(hub, following, None)
    hub.tell_awareness()
    assert ann.states == [{"ann": None}]
    assert len(hub.awareness) == 0


def test_whoever_leaves_is_seen_no_more() -> None:
    hub, ann, ben = a_hub(), Watcher("ann"), Watcher("ben")
    of_ann, _ = hub.attach(ann, 5, 5), hub.attach(ben, 5, 5)
    put(hub, of_ann, {"at": 1})
    hub.tell_awareness()
    of_ann.leave()
    hub.tell_awareness()
    assert ben.states == [{"ann": {"at": 1}}, {"ann": None}]
    assert ann.states == [{"ann": {"at": 1}}]


def test_whoever_is_shut_out_neither_sees_nor_is_seen() -> None:
    hub, ann, ben = a_hub(), Watcher("ann"), Watcher("ben")
    of_ann, of_ben = hub.attach(ann, 5, 5), hub.attach(ben, 5, 5)
    put(hub, of_ann, {"at": 1})
    put(hub, of_ben, {"at": 2})
    hub.publish([publication(6, audience=frozenset({"ben"}))])
    hub.tell_awareness()
    assert not ann.states
    assert ben.states == [{"ann": None, "ben": {"at": 2}}]


def test_where_everybody_may_follow_nobody_is_seen_any_more() -> None:
    hub, ann = a_hub(), Watcher("ann")
    put(hub, hub.attach(ann, 5, 5), {"at": 1})
    hub.publish([publication(6, changes_audience=True)])
    hub.tell_awareness()
    assert ann.states == [{"ann": None}]


def test_there_are_only_so_many_states() -> None:
    hub = a_hub(states_max=2)
    places = [hub.attach(Watcher(name), 5, 5) for name in ("ann", "ben", "cid")]
    assert [put(hub, place, {"at": 1}) for place in places] == [True, True, False]
    assert put(hub, places[0], {"at": 2})
    assert put(hub, places[0], None)
    assert put(hub, places[2], {"at": 1})
    assert not put(hub, places[0], {"at": 1})
