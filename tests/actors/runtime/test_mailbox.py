"""The mailbox: in order, bounded, and the runtime's own messages first."""

from __future__ import annotations

from actors.runtime.mailbox import Mailbox


def test_deliveries_come_out_in_the_order_in_which_they_went_in() -> None:
    mailbox: Mailbox[int] = Mailbox(10)
    assert all(mailbox.put(number) for number in range(3))
    assert [mailbox.take(), mailbox.take(), mailbox.take(), mailbox.take()] == [0, 1, 2, None]


def test_a_full_mailbox_takes_nothing_more_and_keeps_what_it_has() -> None:
    mailbox: Mailbox[int] = Mailbox(2)
    assert [mailbox.put(1), mailbox.put(2), mailbox.put(3)] == [True, True, False]
    assert list(mailbox.drain()) == [1, 2]
    assert mailbox.put(4)


def test_what_had_a_place_before_is_taken_back_beyond_the_limit() -> None:
    mailbox: Mailbox[int] = Mailbox(1)
    mailbox.put(1)
    mailbox.put_back(2)
    assert list(mailbox.drain()) == [1, 2]


def test_control_messages_have_a_lane_of_their_own_and_no_limit() -> None:
    mailbox: Mailbox[int] = Mailbox(1)
    mailbox.put(1)
    done: list[int] = []
    mailbox.put_control(lambda: done.append(1))
    mailbox.put_control(lambda: done.append(2))
    assert len(mailbox) == 1
    while (control := mailbox.take_control()) is not None:
        control()
    assert done == [1, 2]
    assert mailbox.take() == 1


def test_a_mailbox_with_a_control_message_alone_is_not_empty() -> None:
    mailbox: Mailbox[int] = Mailbox(1)
    assert not mailbox
    mailbox.put_control(lambda: None)
    assert mailbox


def test_what_a_predicate_names_is_taken_out_and_the_rest_keeps_its_order() -> None:
    mailbox: Mailbox[int] = Mailbox(10)
    for number in range(6):
        mailbox.put(number)
    assert mailbox.remove_where(lambda number: number % 2 == 0) == [0, 2, 4]
    assert list(mailbox.drain()) == [1, 3, 5]
    assert mailbox.remove_where(lambda number: True) == []
