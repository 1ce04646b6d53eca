"""Crossgate: an API gateway that enforces Cross-Origin Resource Sharing."""
