"""Changes three APIs at once, again and again until it is killed; prints each stored revision number."""

from __future__ import annotations

import sys

from tests.catalogues import api, policy

from crossgate.diagnostics import Diagnostic
from crossgate.service.catalogue_service import CatalogueService
from crossgate.service.changes import PutApi
from crossgate.store import open_store, parse_location

location = parse_location(sys.argv[1])
assert not isinstance(location, Diagnostic)
with open_store(location) as store:
    service = CatalogueService(store.catalogue)
    while True:
        number = store.catalogue.head.revision + 1
        cors = policy(f"https://r{number}.example")
        service.change([PutApi(api(name, cors)) for name in "abc"], author=f"r{number}")
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
