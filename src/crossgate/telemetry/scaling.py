"""How many requests a group had, when token buckets let only a part of the reports pass.

The counters tell the number of decisions of an API with a reason. X of a group were reported, and are counted
as they are; U of all groups were not. What a bucket admits is not a fair sample: it fills while a flood waits
for its answers, so clients that do not wait in step are admitted more often. Therefore nodes draw one of 32
requests by chance alone besides. The drawn ones that no bucket admitted are a fair sample of the U.

**Count.** Of S such draws, s are of the group: its count is X + U s / S, or X + F s with F = U / S. A group
that is alone in its API and reason has s = S, and is exact.

**Variance.** Given S, and with the true part q of the group in the U, s is hypergeometric:

    Var(F s) = F² S q (1 - q) (1 - S / U)

We take s for S q, leave out the last factor, which is about 31/32 (draws and decisions are not of the very
same requests, see below), and smooth 1 - q to (S - s + 1) / (S + 1), so that few draws do not look sure. It
is 0 if no other group was there. What remains is linear in s, so that it may be summed over intervals.

**Small numbers.** A group that was reported, but not drawn, may have unreported requests if its bucket may
have been empty; and one with a single draw is not as sure as s says. Two more draws are added once, as in
Wilson's interval (1.96² / 2), but the error that they make is at most U.

**Uneven draws.** Draws pass a bucket as well. If it was empty, at more than 32,000 refusals a second of one
node, they are not fair either: the truth may be between none and twice of what is added. That error has the
same sign in all intervals, so it is summed as an error, not as a variance.

**Time.** Counters and draws of the same requests do not come at the same time: counters of a node come every
five seconds. So one draw is used for each 32 unreported decisions, the oldest first; the others wait for
their decisions. Each draw is used once at most. Unreported decisions without any draw wait for one, if there
is more than one group. If none comes, and they are few, they get the parts of the last draws, or of the
reports if there were no draws. If they are too many for chance, they are lost (the sink was down), and are
counted as others.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final, Protocol

from crossgate.compiler.token_buckets import DRAW_ONE_OF

StratumKey = tuple[str, str, bool]
"""API, reason, observed."""
_FEW: Final = 2
_DOUBTED: Final = 20
"""Intervals."""
_KEPT: Final = 3
"""Intervals that a draw waits for its decisions."""
_WAIT: Final = 6
"""Intervals that unreported decisions wait for a draw, if they may be of several groups."""
_LOST: Final = 6 * DRAW_ONE_OF
"""More decisions without any draw are not chance: that has a probability of e⁻⁶."""
_REMEMBERED: Final = 16
"""Groups whose parts are remembered for decisions without any draw."""
_ERROR: Final = 1.96
"""Standard deviations in the error that is shown."""


class Scaled(Protocol):
    """A group, or all others of one API and reason."""

    @property
    def share(self) -> Share:
        """Its share in the reports."""
        ...

    def gain(self, count: float, variance: float, drawn: int, time: float) -> None:
        """Add unreported requests of about that time, and how many draws they are known from."""
        ...


class Share:
    """The share of a group in its stratum. It is small: dropped groups leave it behind."""

    __slots__ = ("_doubt", "_doubted", "_uneven", "group", "stratum")

    def __init__(self, stratum: StratumKey, group: Scaled) -> None:
        self.stratum: Final = stratum
        self.group = group
        """Where its requests are counted: in others once the group is dropped."""
        self._doubt = 0.0
        self._doubted = -_DOUBTED
        self._uneven = 0.0

    @property
    def owner(self) -> Share:
        """The share of the group in which its requests are counted."""
        return self.group.share

    def doubt(self, variance: float, interval: int) -> float:
        """What to add so that it is added once: at first, and again after a long time."""
        if interval - self._doubted >= _DOUBTED:
            self._doubt, self._doubted = 0.0, interval
        more = max(variance - self._doubt, 0.0)
        self._doubt += more
        return more

    def uneven(self, error: float) -> float:
        """The variance by which the sum of these errors grows."""
        before, self._uneven = self._uneven, self._uneven + error
        return (self._uneven**2 - before**2) / _ERROR**2


@dataclass(slots=True)
class Window:
    """The reports and draws of one interval."""

    reports: Counter[Share] = field(default_factory=Counter)
    doubtful: set[Share] = field(default_factory=set)
    """Those in whose bucket there may have been more."""
    draws: list[tuple[Share, bool]] = field(default_factory=list)
    """Drawn requests that were not reported, the oldest first; each with whether its bucket was empty."""


class Stratum:
    """The decisions of one API with one reason, enforced or observed."""

    __slots__ = ("_balance", "_interval", "_mixed", "_others", "_remembered", "_waited", "_windows", "active")

    def __init__(self, others: Scaled) -> None:
        self._others = others
        self._balance = 0.0
        """Decisions less reports and what was added for unreported ones; negative if reports came first."""
        self._interval = 0
        self._mixed = -_DOUBTED
        """When there was more than one group for the last time."""
        self._windows: deque[Window] = deque(maxlen=_KEPT)
        self._waited = 0
        self._remembered: tuple[int, Mapping[Share, float]] = -_DOUBTED, {}
        """When parts of groups were noted last, and these."""
        self.active = 0.0
        """When there were decisions or reports for the last time."""

    @property
    def waits(self) -> bool:
        """Whether decisions or draws wait for each other."""
        return self._balance != 0 or any(window.draws for window in self._windows)

    def settle(self, decisions: int, window: Window, now: float) -> None:
        """Account for an interval: its decisions, its reports and its draws."""
        reports = window.reports.total()
        overdue = max(self._balance - reports, 0.0)
        self._balance += decisions - reports
        if decisions or reports or window.draws:
            self.active = now
        self._interval += 1
        self._windows.append(window)
        overdue = min(overdue, self._balance)
        if self._balance > 0 and any(kept.draws for kept in self._windows):
            self._waited = 0
            self._distribute(now)
        elif overdue > 0:
            self._waited += 1
            sure = self._waited == 1 and self._note_undrawn(overdue, now)
            if sure or self._waited == _WAIT:
                self._distribute_undrawn(overdue, now)
                self._waited = 0
        else:
            self._waited = 0

    def settle_rest(self, now: float) -> None:
        """Give what waits for draws to the groups that are known, or to others: none will come."""
        if self._balance > 0:
            self._note_undrawn(self._balance, now)
            self._distribute_undrawn(self._balance, now)

    def _distribute(self, now: float) -> None:
        """Give all that is unreported to the groups of the draws."""
        unreported, self._balance = self._balance, 0.0
        wanted = ceil(unreported / DRAW_ONE_OF)
        drawn: Counter[Share] = Counter()
        uneven = 0
        for window in self._windows:
            used = window.draws[:wanted]
            del window.draws[:wanted]
            wanted -= len(used)
            drawn.update(share.owner for share, _ in used)
            uneven += sum(empty for _, empty in used)
        total = drawn.total()
        factor = unreported / total
        alone = self._alone(drawn)
        for share in {**drawn, **self._doubtful()}:
            number = drawn[share]
            rest = 0.0 if alone else (total - number + 1) / (total + 1)
            variance = number * factor**2 * rest + self._doubt(share, factor, unreported) * rest
            variance += share.uneven(uneven * factor * number / total * rest)
            if number or variance:
                share.group.gain(factor * number, variance, number, now)
        self._remember(drawn)

    def _remember(self, numbers: Counter[Share]) -> None:
        total = numbers.total()
        parts = {share: number / total for share, number in numbers.most_common(_REMEMBERED)}
        self._remembered = self._interval, parts

    def _note_undrawn(self, decisions: float, now: float) -> bool:
        """Note that any group may have requests that were not even drawn. Whether there is one group only."""
        reported = self._reported()
        if self._interval - self._remembered[0] >= _DOUBTED:
            self._remember(reported)
        if self._alone(reported):
            return True
        for share in self._doubtful():
            variance = self._doubt(share, DRAW_ONE_OF, decisions)
            if variance:
                share.group.gain(0.0, variance, 0, now)
        return False

    def _distribute_undrawn(self, decisions: float, now: float) -> None:
        """Give decisions without draws to the groups that the last draws were of, or the reports."""
        self._balance -= decisions
        rest = decisions
        if decisions <= _LOST:
            for share, part in self._remembered[1].items():
                count = decisions * part
                rest -= count
                variance = count * DRAW_ONE_OF * (1 - part)
                share.group.gain(count, variance, 0, now)
        if rest > 1e-6 * decisions:
            self._others.gain(rest, 0.0, 0, now)

    def _reported(self) -> Counter[Share]:
        """The reports of the last intervals."""
        reported: Counter[Share] = Counter()
        for window in self._windows:
            for share, number in window.reports.items():
                reported[share.owner] += number
        return reported

    def _doubtful(self) -> dict[Share, None]:
        """The groups of the last intervals that may have had more requests than their reports."""
        return {share.owner: None for window in self._windows for share in window.doubtful}

    def _alone(self, drawn: Mapping[Share, float]) -> bool:
        """Whether there was only one group for long."""
        if len({*drawn, *self._reported()}) > 1:
            self._mixed = self._interval
        return self._interval - self._mixed >= _DOUBTED

    def _doubt(self, share: Share, factor: float, unreported: float) -> float:
        return share.doubt(min(_FEW * factor**2, (unreported / _ERROR) ** 2), self._interval)
