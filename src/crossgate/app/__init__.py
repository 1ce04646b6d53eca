"""Assembles the parts: what `crossgate run` and `crossgate node` start, follow and stop."""
