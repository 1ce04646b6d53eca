"""What holds for every test: hypothesis judges what a test finds, not how busy the machine is.

And all processes of a parallel run draw the same random pairs.
"""

from __future__ import annotations

import os
import random

from hypothesis import settings

# The default gives each example 200 ms of wall clock, which a neighbour on the machine can use up.
settings.register_profile("crossgate", deadline=None)
settings.load_profile("crossgate")
# Processes of pytest-xdist inherit it: each must collect the same tests.
os.environ.setdefault("CROSSGATE_SEED", str(random.SystemRandom().randrange(2**31)))
