"""The certificate authorities that this machine trusts."""

from __future__ import annotations

import ssl

import certifi


def system_authorities() -> str:
    """Path of a PEM file: the system's, or where there is none (slim images) the one from PyPI."""
    return ssl.get_default_verify_paths().cafile or certifi.where()
