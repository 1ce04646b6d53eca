"""Canaille, an OpenID provider, with its people and its client in memory.

``python -m tests.canaille_server PORT CALLBACK KEYS`` serves it; KEYS is a file with private keys, as JWKs.
On SIGHUP it reads the file again, as a provider does that changes its keys.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from tests.oidc_provider import CLIENT, PASSWORD, PEOPLE, SECRET
from werkzeug.serving import run_simple


def _serve(port: int, callback: str, keys: Path) -> None:
    def made() -> Any:
        config = {
            "SECRET_KEY": "a key of the provider's cookies",
            "SERVER_NAME": f"localhost:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "CAPTCHA_ENABLED": False, "JAVASCRIPT": False},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": json.loads(keys.read_text())},
        }
        app = create_app(config=config)
        with app.app_context():
            _add_objects(callback)
        return app

    served = [made()]
    signal.signal(signal.SIGHUP, lambda *_: served.__setitem__(0, made()))
    run_simple("localhost", port, lambda environ, start: served[0](environ, start), threaded=True)


def _add_objects(callback: str) -> None:
    backend = Backend.instance
    people = {}
    for name in PEOPLE:
        people[name] = models.User(
            user_name=name,
            formatted_name=name.capitalize(),
            family_name=name.capitalize(),
            emails=[f"{name}@example.com"],
            password=PASSWORD,
        )
        backend.save(people[name])
    for group in sorted({group for groups in PEOPLE.values() for group in groups}):
        members = [people[name] for name, groups in PEOPLE.items() if group in groups]
        backend.save(models.Group(display_name=group, members=members))
    client = models.Client(
        client_id=CLIENT,
        client_secret=SECRET,
        client_name="Crossgate",
        client_uri=callback.partition("/sign-in")[0],
        redirect_uris=[callback],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "profile", "email", "groups"],
        token_endpoint_auth_method="client_secret_basic",
    )
    backend.save(client)
    client.audience = [client]
    backend.save(client)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
