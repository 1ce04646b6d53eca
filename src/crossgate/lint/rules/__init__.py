"""The rules, one a file, in the order of their codes."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from crossgate.lint.rule import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule of this folder."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    )
    return tuple(sorted((module.RULE for module in modules), key=lambda rule: rule.code))


@cache
def rule_of(code: str) -> Rule | None:
    """The rule of that code."""
    return next((rule for rule in all_rules() if rule.code == code), None)
