"""Warns of a middleware that is bypassed by commands that find an application by its type."""

from __future__ import annotations

from typing import Final

from crossgate.middleware.refusal_log import LOG

_HINTS: Final = {
    # An attribute of the framework's applications, the commands, and what to write.
    "add_middleware": ("fastapi run", "app.add_middleware({name}, policy=policy)"),
    "asgi_handler": ("litestar run", "app.asgi_handler = {name}(app.asgi_handler, policy)"),
    "asgi_app": ("quart run", "app.asgi_app = {name}(app.asgi_app, policy)"),
    "wsgi_app": ("flask run", "app.wsgi_app = {name}(app.wsgi_app, policy)"),
    "load_middleware": (
        "manage.py runserver",
        'MIDDLEWARE = ["crossgate.middleware.django.DjangoCorsMiddleware", ...]',
    ),
}


def warn_if_bypassed(middleware: object, app: object) -> None:
    """Log how to enforce the policy inside of ``app``, if it is a framework's whole application."""
    for attribute, (command, written) in _HINTS.items():
        if hasattr(app, attribute):
            name = type(middleware).__name__
            LOG.warning(
                "%s wraps a %s application: commands that look for one, such as `%s`, serve it without the "
                "policy. Write %s",
                name,
                type(app).__name__,
                command,
                written.format(name=name),
            )
            return
