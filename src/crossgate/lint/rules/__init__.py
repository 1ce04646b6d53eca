"""The rules, one in each file; a file is named after its rule's code."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from crossgate.lint.rule import Rule


@cache
def rules_by_code() -> Mapping[str, Rule]:
    """Every rule of this folder by its code, in the order of the codes."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    )
    rules: list[Rule] = [module.RULE for module in modules]
    return {rule.code: rule for rule in sorted(rules, key=lambda rule: rule.code)}


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the codes."""
    return tuple(rules_by_code().values())


def rule_of(code: str) -> Rule | None:
    """The rule with that code."""
    return rules_by_code().get(code)
