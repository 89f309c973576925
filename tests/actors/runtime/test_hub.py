"""The hub of a stream: places, revocation, presence."""

from __future__ import annotations

from actors.runtime.hub import Crowd, StreamHub
from actors.runtime.ring import Ring
from protocol.cursors import Cursor
from protocol.event import OPERATOR
from tests.actors.runtime.publications import Loner, Watcher, publication, seqs


def a_hub(seq: int = 5, ring_entries: int = 100) -> StreamHub:
    return StreamHub("notes/1", Ring(Cursor(seq, 1), ring_entries, 1 << 20))


def test_a_follower_is_woken_and_pulls_what_is_new_once() -> None:
    hub, watcher = a_hub(), Watcher()
    following = hub.attach(watcher, 5, 5)
    hub.publish([publication(6), publication(7)])
    assert watcher.woken == 1
    assert seqs(following.pull(1)) == [6]
    assert seqs(following.pull(10)) == [7]
    assert following.pull(10) == []


def test_what_is_not_new_wakes_nobody() -> None:
    hub, watcher = a_hub(), Watcher()
    hub.attach(watcher, 5, 5)
    hub.publish([publication(5)])
    assert watcher.woken == 0


def test_a_follower_behind_the_ring_is_told_so_and_goes_on_after_the_pages() -> None:
    hub = a_hub(ring_entries=2)
    following = hub.attach(Watcher(), 5, 5)
    hub.publish([publication(seq) for seq in range(6, 10)])
    assert following.pull(10) is None
    assert seqs(following.given([publication(5), publication(6), publication(7)])) == [6, 7]
    assert seqs(following.pull(10)) == [8, 9]
    assert following.given([publication(8)]) == []


def test_a_follower_that_joins_again_gives_up_its_old_place() -> None:
    hub, watcher = a_hub(), Watcher()
    old = hub.attach(watcher, 5, 5)
    new = hub.attach(watcher, 3, 5)
    assert (old.closed, new.closed, len(hub)) == (True, False, 1)
    hub.publish([publication(6)])
    assert (old.pull(10), watcher.woken) == ([], 1)
    old.leave()
    assert len(hub) == 1


def test_who_is_shut_out_gets_nothing_more_and_the_others_do() -> None:
    hub, ann, ben, operator = a_hub(), Watcher("ann"), Watcher("ben"), Watcher(OPERATOR)
    of_ann, of_ben, of_operator = (hub.attach(watcher, 5, 5) for watcher in (ann, ben, operator))
    hub.publish([publication(6), publication(7, audience=frozenset({"ben"})), publication(8)])
    assert ann.closed == [("notes/1", "removed")]
    assert (of_ann.pull(10), of_ann.given([publication(6)])) == ([], [])
    assert seqs(of_ben.pull(10)) == seqs(of_operator.pull(10)) == [6, 7, 8]


def test_who_is_shut_out_and_back_in_one_breath_is_shut_out_all_the_same() -> None:
    hub, ann = a_hub(), Watcher("ann")
    hub.attach(ann, 5, 5)
    hub.publish([publication(6, audience=frozenset()), publication(7, audience=frozenset({"ann"}))])
    assert ann.closed == [("notes/1", "removed")]


def test_a_lagging_follower_is_shut_out_before_it_has_pulled() -> None:
    hub, ann = a_hub(ring_entries=2), Watcher("ann")
    following = hub.attach(ann, 1, 5)
    assert following.pull(10) is None
    hub.publish([publication(6, audience=frozenset())])
    assert (following.given([publication(2)]), following.pull(10)) == ([], [])


def test_an_audience_older_than_the_permission_says_nothing() -> None:
    hub, ann = a_hub(5), Watcher("ann")
    following = hub.attach(ann, 7, 7)
    hub.publish([publication(6, audience=frozenset()), publication(7, audience=frozenset({"ann"}))])
    assert (ann.closed, following.closed) == ([], False)
    hub.publish([publication(8, audience=frozenset())])
    assert following.closed


def test_everybody_may_stay_when_the_audience_is_everybody() -> None:
    hub, ann = a_hub(), Watcher("ann")
    hub.attach(ann, 5, 5)
    hub.publish([publication(6, changes_audience=True)])
    assert ann.closed == []


def test_presence_counts_connections_and_is_told_once_per_change() -> None:
    hub, first, second, ben = a_hub(), Watcher("ann"), Watcher("ann"), Watcher("ben")
    places = [hub.attach(watcher, 5, 5) for watcher in (first, ben, second)]
    hub.attach(Watcher(OPERATOR), 5, 5)
    hub.tell_presence(10)
    hub.tell_presence(10)
    assert ben.presences == [[{"userId": "ann", "connections": 2}, {"userId": "ben", "connections": 1}]]
    places[0].leave()
    places[0].leave()
    places[1].leave()
    hub.tell_presence(10)
    assert second.presences[-1] == [{"userId": "ann", "connections": 1}]
    assert len(ben.presences) == 1
    assert hub.present(0) == []


def test_a_follower_may_leave_while_the_others_are_told() -> None:
    class Leaving(Loner):
        def wake(self, following: object) -> None:
            super().wake(following)  # type: ignore[arg-type]
            place.leave()

    hub = a_hub()
    leaving, other = Leaving("ann"), Loner("ben")
    place = hub.attach(leaving, 5, 5)
    hub.attach(other, 5, 5)
    hub.publish([publication(6)])
    assert (leaving.woken, other.woken, len(hub)) == (1, 1, 1)


def test_a_crowd_is_told_once_and_those_without_one_are_woken() -> None:
    class Member(Watcher):
        @property
        def crowd(self) -> Crowd | None:
            return crowd

    hub, crowd, loner = a_hub(), Watcher(), Loner("cid")
    members = [hub.attach(Member(name), 5, 5) for name in ("ann", "ben")]
    hub.attach(loner, 5, 5)
    hub.publish([publication(6), publication(7)])
    hub.tell_presence(10)
    assert (crowd.woken, loner.woken, len(crowd.presences), len(loner.presences)) == (1, 1, 1, 0)
    members[0].leave()
    hub.publish([publication(8)])
    members[1].leave()
    hub.publish([publication(9)])
    assert (crowd.woken, loner.woken) == (2, 3)


def test_what_is_fresh_is_taken_once() -> None:
    hub = a_hub(ring_entries=3)
    assert hub.take_fresh(10) == (5, [])
    hub.publish([publication(6), publication(7)])
    after_seq, fresh = hub.take_fresh(10)
    assert (after_seq, seqs(fresh)) == (5, [6, 7])
    assert hub.take_fresh(10) == (7, [])
    hub.publish([publication(seq) for seq in range(8, 13)])
    assert hub.take_fresh(10) == (7, [])
    hub.publish([publication(13), publication(14)])
    after_seq, fresh = hub.take_fresh(1)
    assert (after_seq, seqs(fresh)) == (12, [13])
