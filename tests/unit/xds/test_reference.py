"""The reference page shows the states and transitions that the code runs on."""

from pathlib import Path

from crossgate.xds.delivery_states import TRANSITIONS, DeliveryEvent, DeliveryState

PAGE = (Path(__file__).parents[3] / "docs/reference/xds.md").read_text()


def words(name: DeliveryState | DeliveryEvent) -> str:
    return name.name.lower().replace("_", " ")


def test_every_state_is_on_the_page() -> None:
    rows = [f"| {words(state)} | {state.value} |" for state in DeliveryState]

    assert "\n".join(["| state | meaning |", "|---|---|", *rows, ""]) in PAGE


def test_every_transition_is_on_the_page() -> None:
    rows = []
    for event in DeliveryEvent:
        moves = [(state, then) for (state, on), then in TRANSITIONS.items() if on is event]
        cell = "; ".join(f"{words(state)} → {words(then)}" for state, then in moves)
        rows.append(f"| {words(event)} | {event.value} | {cell} |")

    assert "\n".join(["| event | meaning | transitions |", "|---|---|---|", *rows, ""]) in PAGE
