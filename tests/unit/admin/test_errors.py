from __future__ import annotations

from tests.admin_api import AdminApi
from tests.unit.admin.entries import PETS, api_entry


def test_unknown_path_and_method_are_problems(api: AdminApi) -> None:
    unknown, method = api.viewer.get("/v1/nothing"), api.viewer.patch(PETS, json=api_entry())

    assert (unknown.status_code, method.status_code) == (404, 405)
    assert unknown.headers["Content-Type"] == method.headers["Content-Type"] == "application/problem+json"
    assert "PUT" in method.headers["Allow"]
