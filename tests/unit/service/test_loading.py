"""Batches of a catalogue: of a complete one, and while it is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.catalogues import api, application, catalogue, policy

from crossgate.catalogue.model import Api, Catalogue
from crossgate.catalogue.serialise import api_to_dict, application_to_dict
from crossgate.service.errors import InvalidChange
from crossgate.service.loading import BATCH_SIZE, batches, load_catalogue, load_in_batches
from crossgate.service.objects import ObjectKind
from crossgate.service.ports import RecordedObject

CUSTOM = api("custom", endpoints=("/custom/path",))
APPLICATION = RecordedObject(
    ObjectKind.APPLICATION,
    "shop",
    json.dumps(application_to_dict(application("shop", "https://a.example", apis=["a0/1.0"]))),
)


def test_last_batch_is_complete_and_alone_has_custom_endpoints() -> None:
    whole = catalogue([CUSTOM, *(api(f"a{number}") for number in range(2 * BATCH_SIZE + 1))])
    found = list(batches(whole))
    assert found[-1] is whole
    assert [len(one.apis) for one in found] == [BATCH_SIZE, 2 * BATCH_SIZE, 2 * BATCH_SIZE + 2]
    assert not any("custom/1.0" in one.apis for one in found[:-1])
    assert list(batches(catalogue())) == [catalogue()]


def recorded(apis: list[Api]) -> list[RecordedObject]:
    return [RecordedObject(ObjectKind.API, one.key, json.dumps(api_to_dict(one))) for one in apis]


def test_loading_in_batches_is_lazy_and_ends_with_the_same_catalogue() -> None:
    apis = recorded(
        [CUSTOM, *(api(f"a{number}", policy("https://b.example")) for number in range(2 * BATCH_SIZE))]
    )
    read = list[str]()

    def reading() -> Iterator[RecordedObject]:
        for one in apis:
            read.append(one.key)
            yield one

    found = list[Catalogue]()
    for part in load_in_batches([APPLICATION], reading()):
        found.append(part)
        # Nothing is read ahead of its batch.
        assert len(read) == min(len(found) * BATCH_SIZE, len(apis))
    assert [len(one.apis) for one in found] == [
        BATCH_SIZE - 1,
        2 * BATCH_SIZE - 1,
        2 * BATCH_SIZE,
        2 * BATCH_SIZE + 1,
    ]
    assert all("shop" in one.applications for one in found)
    assert not any("custom/1.0" in one.apis for one in found[:-1])
    assert found[-1] == load_catalogue([APPLICATION, *apis])
    assert list(load_in_batches([], [])) == [Catalogue()]


def test_invalid_objects_end_the_batches_and_are_all_reported() -> None:
    apis = recorded([api(f"a{number}") for number in range(3 * BATCH_SIZE)])
    for at in (BATCH_SIZE, 2 * BATCH_SIZE):
        apis[at] = RecordedObject(ObjectKind.API, apis[at].key, json.dumps({"name": "x", "new": 1}))
    found = list[Catalogue]()
    with pytest.raises(InvalidChange) as refused:
        found.extend(load_in_batches([], apis))
    assert [len(one.apis) for one in found] == [BATCH_SIZE]
    named = {one.place.json_path for one in refused.value.diagnostics if one.code == "unknown-key"}
    assert named == {f"$.apis['{apis[at].key}'].new" for at in (BATCH_SIZE, 2 * BATCH_SIZE)}
