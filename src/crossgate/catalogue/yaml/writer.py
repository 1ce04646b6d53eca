"""Writes raw values as YAML that means the same in YAML 1.1 and YAML 1.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from crossgate.catalogue.yaml.events import NUMBER, NUMBER_STARTS

# libyaml, if PyYAML was built with it: four times as fast.
_BASE: Final[Any] = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper


class _Dumper(_BASE):  # type: ignore[misc]  # one of two classes
    """Quotes strings that either version of YAML would read as another type."""

    def ignore_aliases(self, data: object) -> bool:
        """Repeat equal values in full, without anchors."""
        del data
        return True


# PyYAML knows the numbers of YAML 1.1 only, to which 1e3 and 0o17 do not belong: they need quotes, too.
_Dumper.add_implicit_resolver("tag:crossgate,number-of-yaml-1.2", NUMBER, list(NUMBER_STARTS))


def write_yaml(root: Mapping[str, object], *, flow: bool = False) -> str:
    """The document, its keys in the order of the mapping; with ``flow``, on one line in braces."""
    written: str = yaml.dump(
        root,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=2**31 - 1,
        default_flow_style=flow,
    )
    return written
