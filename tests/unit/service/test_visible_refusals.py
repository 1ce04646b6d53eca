"""The visible part of an ordered list of groups."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from tests.telemetry import group_key

from crossgate.service.permission import Permission
from crossgate.service.refusal_query import RefusalOrder
from crossgate.service.visible_refusals import VisibleRefusals


def listed(*apis: str) -> Any:
    return [
        ((number,), SimpleNamespace(group=SimpleNamespace(key=group_key(api=api))))
        for number, api in enumerate(apis)
    ]


def test_a_caller_sees_its_apis_in_order_and_nothing_of_server_level() -> None:
    visible, ordered = VisibleRefusals(), listed("pets/1.0", "shop/1.0", "server-level", "", "pets/2.0")
    found = visible.of(ordered, RefusalOrder.COUNT, Permission(apis=("pets",)))
    assert [one.group.key.api for _, one in found] == ["pets/1.0", "pets/2.0"]
    other = visible.of(ordered, RefusalOrder.COUNT, Permission(apis=("shop",)))
    assert [one.group.key.api for _, one in other] == ["shop/1.0"]


def test_the_part_is_kept_for_one_list_only() -> None:
    visible, permission = VisibleRefusals(), Permission(apis=("pets",))
    first, second = listed("pets/1.0"), cast("Any", [])
    assert visible.of(first, RefusalOrder.COUNT, permission) is visible.of(
        first, RefusalOrder.COUNT, permission
    )
    assert visible.of(second, RefusalOrder.COUNT, permission) == []
    assert len(visible.of(first, RefusalOrder.COUNT, permission)) == 1
