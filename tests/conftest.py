"""What holds for every test: hypothesis judges what a test finds, not how busy the machine is."""

from __future__ import annotations

from hypothesis import settings

# The default gives each example 200 ms of wall clock, which a neighbour on the machine can use up.
settings.register_profile("crossgate", deadline=None)
settings.load_profile("crossgate")
