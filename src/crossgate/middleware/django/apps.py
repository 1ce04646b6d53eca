"""The Django application ``crossgate.middleware.django``, which adds checks to ``manage.py check``."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from crossgate.middleware.django.checks import check_settings


class CrossgateConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """Registers the checks."""

    name = "crossgate.middleware.django"
    label = "crossgate"
    verbose_name = "Crossgate"

    def ready(self) -> None:
        """Register the checks."""
        register(check_settings, Tags.security)
