from __future__ import annotations

from tests.admin_api import AdminApi
from tests.unit.admin.entries import PETS, api_entry


def test_unknown_path_and_method_are_problems(api: AdminApi) -> None:
    unknown, method = api.viewer.get("/v1/nothing"), api.viewer.patch(PETS, json=api_entry())

    assert (unknown.status_code, method.status_code) == (404, 405)
    assert unknown.headers["Content-Type"] == method.headers["Content-Type"] == "application/problem+json"
    assert "PUT" in method.headers["Allow"]
    assert api.viewer.post("/openapi.json").headers["Allow"] == "GET, HEAD"


def test_every_problem_has_a_diagnostic_with_a_remedy(api: AdminApi) -> None:
    with api.client() as without_token, api.client("cgt_unknown") as unknown_token:
        responses = [
            without_token.get("/v1/apis"),
            unknown_token.get("/v1/apis"),
            api.viewer.put(PETS, json=api_entry()),
            api.viewer.get("/v1/nothing"),
            api.viewer.patch(PETS),
            api.viewer.get("/v1/apis", headers={"Host": "evil.example"}),
            api.viewer.get("/v1/apis", headers={"Origin": "https://evil.example"}),
            api.viewer.get("/v1/applications/%FF"),
            api.viewer.get("/v1/apis", params={"limit": "0"}),
        ]

    assert [one.status_code for one in responses] == [401, 401, 403, 404, 405, 421, 403, 400, 422]
    for response in responses:
        problem = response.json()
        first = problem["diagnostics"][0]
        assert problem["type"] == f"urn:crossgate:problem:{first['code']}"
        assert problem["detail"].startswith(first["message"])
        assert problem["detail"].endswith(first["remedy"])
