"""Publishing: the first catalogue in batches, and only what is distributed."""

from __future__ import annotations

from tests.catalogues import api, catalogue, policy

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.incremental import Compilation
from crossgate.compiler.names import LISTENER_NAME
from crossgate.compiler.resource import LISTENER
from crossgate.service.loading import BATCH_SIZE, batches
from crossgate.service.publisher import Publisher
from crossgate.xds.cache import Cache

CA = "/authorities.pem"


def test_batches_end_with_the_same_resources_and_the_client_listener_last() -> None:
    whole = catalogue([api(f"a{number}") for number in range(BATCH_SIZE + 1)])
    cache = Cache()
    publisher = Publisher(cache, CA)
    for batch in batches(whole):
        publisher.compile(batch)
        publisher.distribute(client_listener=False)
        assert LISTENER_NAME not in cache.names(LISTENER)
    opened = publisher.distribute()
    assert opened.keys() == {(LISTENER, LISTENER_NAME)}
    assert cache.versions() == versions_of(whole)


def versions_of(whole: Catalogue) -> dict[tuple[str, str], str]:
    compilation, _ = Compilation().advance(whole, CA)
    return {key: resource.version for key, resource in compilation.resources.items()}


def test_compiled_but_undistributed_catalogue_is_reverted() -> None:
    cache = Cache()
    publisher = Publisher(cache, CA)
    pets = api("pets", policy("https://a.example"))
    before = catalogue([pets])
    pending = catalogue([api("pets", policy("https://b.example")), api("new")])
    after = catalogue([pets, api("other")])
    publisher.publish(before)
    publisher.compile(pending)
    published = publisher.publish(after)
    assert cache.versions() == versions_of(after)
    assert all(cache.version(key) == version for key, version in published.items())
