"""Observers: who is called, in which order, and what happens if callbacks add or remove others."""

from __future__ import annotations

from crossgate.service.observers import Observers


def test_every_observer_is_called_in_order_until_it_is_removed() -> None:
    observers = Observers[int]()
    calls = list[tuple[str, int]]()
    removals = [observers.add(lambda event, name=name: calls.append((name, event))) for name in "ab"]  # type: ignore[misc]
    observers.notify(1)
    removals[0]()
    removals[0]()
    observers.notify(2)
    assert calls == [("a", 1), ("b", 1), ("b", 2)]


def test_the_same_callback_can_be_registered_twice() -> None:
    observers = Observers[int]()
    calls = list[int]()
    remove, _ = observers.add(calls.append), observers.add(calls.append)
    remove()
    observers.notify(1)
    assert calls == [1]


def test_an_observer_added_or_removed_by_another_counts_from_the_next_event() -> None:
    observers = Observers[int]()
    calls = list[str]()

    def replace_last(event: int) -> None:
        calls.append(f"first {event}")
        if event == 1:
            remove_last()
            observers.add(lambda event: calls.append(f"new {event}"))

    observers.add(replace_last)
    remove_last = observers.add(lambda event: calls.append(f"last {event}"))
    observers.notify(1)
    observers.notify(2)
    assert calls == ["first 1", "last 1", "first 2", "new 2"]
