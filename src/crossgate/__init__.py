"""Crossgate: an API gateway that enforces Cross-Origin Resource Sharing."""

__version__ = "0.2.0"
"""The package's metadata, and all that prints the version, read it here."""
