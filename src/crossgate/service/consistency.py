"""What must hold for a change to be stored: consistent references, and settings that name no file."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.catalogue.model import Catalogue
from crossgate.catalogue.references import check_change
from crossgate.diagnostics import Diagnostic, Place
from crossgate.service.objects import Difference, Kind, Settings
from crossgate.service.snapshot import Snapshot


def find_faults(base: Snapshot, catalogue: Catalogue, difference: Difference) -> list[Diagnostic]:
    """Every contradiction in ``catalogue``, which differs from the consistent base by ``difference``."""
    apis = [change.key for change in difference if change.kind is Kind.API]
    applications = [change.key for change in difference if change.kind is Kind.APPLICATION]
    return [
        *check_change(base.endpoints, base.catalogue, catalogue, apis, applications),
        *_find_named_files(difference),
    ]


def _find_named_files(difference: Difference) -> Iterator[Diagnostic]:
    """A stored setting means the same on every control plane and for ever; a file's content does not."""
    for change in difference:
        written = change.after.written if isinstance(change.after, Settings) else {}
        for name, value in written.items():
            if isinstance(value, str) and value.startswith("file:"):
                yield Diagnostic(
                    code="setting-names-file",
                    message="a setting that is stored cannot refer to a file",
                    found=value,
                    remedy="List the values themselves",
                    place=Place(("settings", name)),
                )
