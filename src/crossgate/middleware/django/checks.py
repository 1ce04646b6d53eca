"""System checks of the settings: https://docs.djangoproject.com/en/stable/topics/checks/."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from crossgate.middleware.django import DjangoCorsMiddleware, policy_setting

_PATH: Final = f"{DjangoCorsMiddleware.__module__}.{DjangoCorsMiddleware.__name__}"


def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """All that is wrong with the middleware's place and its policy."""
    return [*_check_policy(), *_check_place(), *_check_others()]


def _check_policy() -> Iterator[checks.CheckMessage]:
    try:
        policy = policy_setting()
    except ImproperlyConfigured as error:
        message, _, hint = str(error).rpartition(". ")
        yield checks.Error(message, hint=hint, id="crossgate.E001")
        return
    if policy is None:
        yield checks.Warning(
            "CROSSGATE_CORS_POLICY is None: no request is refused",
            hint="Write build_policy(allowed_origins=[...]), or SILENCED_SYSTEM_CHECKS if that is meant",
            id="crossgate.W001",
        )


def _check_place() -> Iterator[checks.CheckMessage]:
    places = [number for number, path in enumerate(settings.MIDDLEWARE) if _is_ours(path)]
    if not places:
        yield checks.Error(
            "crossgate.middleware.django is installed, and MIDDLEWARE does not have its middleware: "
            "nothing is enforced",
            hint=f'Write "{_PATH}" as the first entry of MIDDLEWARE',
            id="crossgate.E002",
        )
    elif places[0] > 0:
        before = ", ".join(settings.MIDDLEWARE[: places[0]])
        yield checks.Warning(
            f"{before} before Crossgate in MIDDLEWARE: their responses have no CORS headers, and they can "
            "answer preflights",
            hint=f'Move "{_PATH}" to the first place of MIDDLEWARE',
            id="crossgate.W002",
        )


def _check_others() -> Iterator[checks.CheckMessage]:
    entries = [path for path in settings.MIDDLEWARE if path.startswith("corsheaders.")]
    if entries or apps.is_installed("corsheaders"):
        yield checks.Error(
            f"django-cors-headers is active beside Crossgate: {', '.join(entries) or 'corsheaders'}",
            hint="Remove corsheaders from INSTALLED_APPS and MIDDLEWARE",
            id="crossgate.E003",
        )


def _is_ours(path: str) -> bool:
    try:
        found = import_string(path)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, DjangoCorsMiddleware)
