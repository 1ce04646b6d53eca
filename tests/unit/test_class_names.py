"""A public class name means one thing in the whole package."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.source import modules


def test_no_public_class_name_is_used_twice() -> None:
    used: defaultdict[str, list[str]] = defaultdict(list)
    for path, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                used[node.name].append(path)
    twice = {name: paths for name, paths in used.items() if len(paths) > 1}
    assert twice == {}
