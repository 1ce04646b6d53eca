"""Policies of paths below others, and the work to combine them."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from crossgate.diagnostics import Place
from crossgate.importers import combine
from crossgate.importers.found import Found, FoundPolicy
from crossgate.importers.nested_paths import RoutedPath, combine_paths, strictest_below


def _policy(*origins: str) -> FoundPolicy:
    return FoundPolicy(origins=tuple(Found(one, Place(), "") for one in origins))


def _origins(policy: FoundPolicy | None) -> str | None:
    return None if policy is None else "".join(str(one.value) for one in policy.origins)


def test_each_path_allows_what_those_below_it_allow() -> None:
    routes = [
        RoutedPath("", ["s"], _policy("a", "b", "c", "d")),
        RoutedPath("/x", ["s"], _policy("a", "b", "c")),
        RoutedPath("/x/y", ["s", "t"], _policy("a", "b")),
        RoutedPath("/x-y", ["s"], _policy("a", "b", "c", "d", "e")),
        RoutedPath("/x/z", ["t"], _policy("f")),
        RoutedPath("/x", ["t"], None),
        RoutedPath("", ["t"], _policy("a", "b")),
    ]
    found = [_origins(policy) for policy in strictest_below(routes)]
    assert found == ["ab", "ab", "ab", "abcde", "f", None, ""]


def test_routes_with_one_path_are_combined_whatever_they_lead_to() -> None:
    routes = [
        RoutedPath("/x", ["s"], _policy("a", "b")),
        RoutedPath("/x", ["t"], _policy("b", "c")),
        RoutedPath("/x/y", ["t"], None),
    ]
    assert {number: _origins(policy) for number, policy in combine_paths(routes).items()} == {0: "", 2: None}
    assert _origins(combine_paths(routes[:2])[0]) == "b"


@pytest.mark.parametrize("path", ["/same", "/{}", "/a{}"])
def test_the_work_grows_with_the_number_of_routes(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    both = Mock(wraps=combine._both)
    monkeypatch.setattr(combine, "_both", both)
    routes = [RoutedPath("", ["s"], _policy("a"))]
    routes += [RoutedPath(path.format(number), ["s"], _policy("a", f"{number}")) for number in range(500)]
    assert all(_origins(policy) == "a" for policy in combine_paths(routes[:1]).values())
    combine_paths(routes)
    strictest_below(routes[:200])
    assert both.call_count <= 5 * len(routes)
