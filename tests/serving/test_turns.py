"""Turns at what requests share: fair, in parts where time is limited, and none after the limit."""

from __future__ import annotations

import threading
import time

import pytest

from eagle.serving.turns import PART, OutOfTime, Turns, time_limit


def test_without_a_limit_all_rows_are_one_call_and_with_one_they_come_in_parts() -> None:
    asked: list[slice] = []

    def work(part: slice) -> list[int]:
        asked.append(part)
        return list(range(2 * PART + 1))[part]

    rows = 2 * PART + 1
    assert Turns().taken(rows, work) == list(range(rows))
    assert len(asked) == 1
    with time_limit(60):
        assert Turns().taken(rows, work) == list(range(rows))
    assert len(asked) == 4
    assert Turns().taken(0, work) == []


def test_who_waits_comes_before_who_just_had_a_turn() -> None:
    turns, order = Turns(), list[str]()
    running = threading.Event()

    def long(_: slice) -> list[int]:
        order.append("long")
        running.set()
        time.sleep(0.05)
        return []

    def many() -> None:
        with time_limit(60):
            turns.taken(20 * PART, long)

    thread = threading.Thread(target=many)
    thread.start()
    running.wait()
    turns.taken(1, lambda _: [order.append("short")])
    thread.join()
    assert order.count("long") == 20
    assert order.index("short") < 10


def test_no_turn_begins_after_the_limit_and_the_next_who_asks_gets_one() -> None:
    turns = Turns()
    with pytest.raises(OutOfTime, match=r"within 0.2 seconds"), time_limit(0.2):
        turns.taken(1000 * PART, lambda _: [time.sleep(0.05)])
    assert turns.taken(1, lambda _: ["free"]) == ["free"]


def test_who_waits_too_long_is_told_and_does_nothing() -> None:
    turns, entered, leave, done = Turns(), threading.Event(), threading.Event(), list[int]()

    def hold(_: slice) -> list[int]:
        entered.set()
        leave.wait()
        return []

    thread = threading.Thread(target=turns.taken, args=(1, hold))
    thread.start()
    entered.wait()
    try:
        with pytest.raises(OutOfTime), time_limit(0.1):
            turns.taken(1, lambda _: [done.append(1)])
    finally:
        leave.set()
        thread.join()
    assert done == []
    assert turns.taken(1, lambda _: [2]) == [2]
