"""What nodes are told: the first time in batches, and never what came to nothing."""

from __future__ import annotations

from tests.catalogues import api, catalogue, policy

from crossgate.catalogue.model import Catalogue
from crossgate.compiler.compilation import Compilation
from crossgate.compiler.listener import LISTENER_NAME
from crossgate.compiler.resource import LISTENER
from crossgate.service.loading import BATCH_SIZE, batches
from crossgate.service.publisher import Publisher
from crossgate.xds.cache import Cache

CA = "/authorities.pem"


def test_portions_end_with_what_publishing_at_once_gives_and_the_clients_listener_is_last() -> None:
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


def test_what_was_foreseen_and_came_to_nothing_reaches_nobody() -> None:
    cache = Cache()
    publisher = Publisher(cache, CA)
    pets = api("pets", policy("https://a.example"))
    before = catalogue([pets])
    foreseen = catalogue([api("pets", policy("https://b.example")), api("new")])
    after = catalogue([pets, api("other")])
    publisher.publish(before)
    publisher.compile(foreseen)
    published = publisher.publish(after)
    assert cache.versions() == versions_of(after)
    assert all(cache.version(key) == version for key, version in published.items())
