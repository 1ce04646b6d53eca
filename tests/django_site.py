"""The settings of a Django project.

``DJANGO_SETTINGS_MODULE=tests.django_site``. In a test, call :func:`set_up` before anything else of Django.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import django

from crossgate.middleware import build_policy

SHOP = "https://shop.example.com"
MIDDLEWARE_PATH = "crossgate.middleware.django.DjangoCorsMiddleware"

SECRET_KEY = "tests"
DEBUG = bool(os.environ.get("DJANGO_DEBUG"))
ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
ROOT_URLCONF = "tests.django_urls"
DATABASES: dict[str, Any] = {}
STATIC_URL = "static/"
STATICFILES_DIRS = [Path(__file__).parent / "data"]
INSTALLED_APPS = ["django.contrib.staticfiles", "crossgate.middleware.django"]
MIDDLEWARE = [
    MIDDLEWARE_PATH,
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
CROSSGATE_CORS_POLICY = build_policy(
    allowed_origins=[SHOP], allowed_methods=["GET", "PUT"], expose_headers=["X-Total"]
)


def set_up() -> None:
    """Configure Django in this process."""
    os.environ["DJANGO_SETTINGS_MODULE"] = __name__
    django.setup()
