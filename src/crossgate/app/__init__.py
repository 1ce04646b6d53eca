"""Puts the parts together: what `crossgate run` and `crossgate node` start, and in which order."""
