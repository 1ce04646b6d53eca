"""Many writers at once: whoever has seen the newest state wins, all others are told, nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.admin_api import AdminApi
from tests.unit.admin.entries import SHOP, create_shop

WRITERS = 8
WRITES = 6


def test_eight_writers_lose_no_update(api: AdminApi) -> None:
    create_shop(api.editor)

    def write(writer: int) -> int:
        conflicts = 0
        for number in range(WRITES):
            origin = f"https://w{writer}-{number}.example"
            while True:
                seen = api.editor.get(SHOP)
                body = seen.json()
                body["javascript_origins"] = [*body.get("javascript_origins", []), origin]
                answer = api.editor.put(SHOP, json=body, headers={"If-Match": seen.headers["ETag"]})
                if answer.status_code == 200:
                    break
                assert answer.status_code == 412, answer.text
                conflicts += 1
        return conflicts

    with ThreadPoolExecutor(WRITERS) as pool:
        conflicts = sum(pool.map(write, range(WRITERS)))

    expected = {
        f"https://w{writer}-{number}.example" for writer in range(WRITERS) for number in range(WRITES)
    }
    origins = api.viewer.get(SHOP).json()["javascript_origins"]
    assert set(origins) == expected
    assert len(origins) == len(expected)
    assert api.viewer.get("/v1/revisions").json()["items"][0]["number"] == 1 + len(expected)
    assert conflicts > 0
