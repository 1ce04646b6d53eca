"""Raw values to YAML that reads the same by the rules of YAML 1.1 and of YAML 1.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from crossgate.catalogue.yaml.events import NUMBER, NUMBER_STARTS

# libyaml, where there is one: four times as fast, and its output is the same.
_BASE: Final[Any] = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper


class _Dumper(_BASE):  # type: ignore[misc]  # one of two classes
    """Quotes strings that either version of YAML takes for something else."""

    def ignore_aliases(self, data: object) -> bool:
        """Write equal values in full: a reader of the document should not have to follow anchors."""
        del data
        return True


_Dumper.add_implicit_resolver("tag:crossgate,number-of-yaml-1.2", NUMBER, list(NUMBER_STARTS))


def write_yaml(root: Mapping[str, object]) -> str:
    """The document, keys in the order of the mapping."""
    written: str = yaml.dump(root, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**31 - 1)
    return written
