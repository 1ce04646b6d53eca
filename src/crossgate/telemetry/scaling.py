"""How many requests a group had, when token buckets let only a part of the reports pass.

The counters tell T, the number of decisions of an API with a reason. In the same time M requests came through
buckets that may have been empty (`buckets`), X of them of one group; the others came through buckets that
denied nothing, and are counted as they are. So U decisions were not reported.

**Count.** If an empty bucket lets the next request pass whichever it is, the M are a random part of the M + U
(binomial thinning, with the total known), and the share q = X / M of the group holds for all. Its count is
X + U q, which is F X with F = (M + U) / M. A group that is alone has q = 1, and M + U is exact.

**Variance.** With the true share Q, two things are random: the X reported ones, with variance M Q (1 - Q), of
which U / M times as many are added; and how many of the other U are the group's, with variance U Q (1 - Q).

    Var(count - truth) = (U / M)² M Q (1 - Q) + U Q (1 - Q) = U Q (1 - Q) F = M Q F (F - 1) (1 - Q)

With X for its expectation M Q this is X F (F - 1) (1 - Q). It is linear in X, so that it may be summed over
intervals. The remaining Q is the share in the reports of the last intervals together: in a single one a group
often is alone by chance.

The square of X is too uncertain where X is small: a group with one report, or with none while it had others
just before, is not as sure as X says. Two more reports are added once, as in Wilson's interval (1.96² / 2).

**Bursts.** F is an average. If the group and the others do not come at the same times or through the same
bucket, F X is wrong by the sum over the cells c of (x_c - q m_c) (f_c - F), where f_c, the decisions for each
report of the cell, is not known. The first factor is: beyond what thinning explains,

    E = Σ (x_c - q m_c)² - q (1 - q) (M - Σ m_c² / M)

is the square of how unevenly the group came. For the second we take the mean square (F - 1)², that of cells
whose numbers of denied entries are independent and exponentially distributed. This adds (F - 1)² max(E, 0).

**Batches.** The clients of a flood send in step, as fast as they are answered. Within milliseconds one batch
empties the bucket, and it fills until the next one. A client that sends in between finds a token, and its
requests pass more often than the average: measured, 3.4 times as often. Neither reports nor counters tell who
sends in step. So the truth is between X, if all of the group passed, and F X. The error that is shown is at
least F X - X, summed over intervals: it has the same sign in all of them. Of a group with more than half of
the reports it is less, and 0 of one that is alone.

**Intervals.** Counters and reports of the same requests do not come at the same time. What is not explained
yet is carried over, so that the sum of all counts follows the counters. Unreported decisions without a single
report in their interval wait for one; then they get the shares of the last reports. If no bucket was empty
and the reports still do not come, they are lost (the sink was down), and are counted as others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

StratumKey = tuple[str, str, bool]
"""API, reason, observed."""
_FEW: Final = 2
_DOUBTED: Final = 20
"""Intervals."""
DECAY: Final = 0.8
"""How much an earlier interval weighs against the one after it."""
_WAIT: Final = 6
"""Intervals that unreported decisions wait for a report."""
_REMEMBERED: Final = 16
"""Groups whose shares are remembered for decisions without any report."""
_FORGOTTEN: Final = 120.0
"""Seconds after which those shares tell nothing any more."""


class Scaled(Protocol):
    """A group, or all others of one API and reason."""

    @property
    def share(self) -> Share:
        """Its share in the reports."""
        ...

    def gain(self, count: float, variance: float, time: float) -> None:
        """Add unreported requests of about that time."""
        ...


class Share:
    """The share of a group in the reports of its stratum. It is small: dropped groups leave it behind."""

    __slots__ = ("_biased", "_doubted", "_interval", "_weight", "group", "stratum")

    def __init__(self, stratum: StratumKey, group: Scaled) -> None:
        self.stratum: Final = stratum
        self.group = group
        """Where its requests are counted: in others once the group is dropped."""
        self._weight = 0.0
        self._interval = 0
        self._doubted = -_DOUBTED
        self._biased = 0.0

    @property
    def owner(self) -> Share:
        """The share of the group in which its requests are counted."""
        return self.group.share

    def weigh(self, reports: int, interval: int) -> None:
        """Add the reports of an interval; those before it weigh less with each one."""
        self._weight = self._weight * DECAY ** (interval - self._interval) + reports
        self._interval = interval

    def doubt(self, interval: int) -> int:
        """How many reports to add for the variance: some at first, and again after a long time."""
        if interval - self._doubted < _DOUBTED:
            return 0
        self._doubted = interval
        return _FEW

    def bias(self, count: float, part: float) -> float:
        """The variance that makes the error as large as all that was added, now and before.

        ``part`` is the group's part of all: the larger it is, the less there is to be confused with.

        The error of each interval has the same sign, so variances of intervals would not add up to it.
        """
        before, self._biased = self._biased, self._biased + count * min(1.0, 2 * (1 - part))
        return (self._biased**2 - before**2) / 1.96**2

    @property
    def weight(self) -> float:
        """Reports of the last intervals, as of the newest one with any."""
        return self._weight


class Stratum:
    """The decisions of one API with one reason, enforced or observed."""

    __slots__ = ("_balance", "_interval", "_others", "_remembered", "_scaled", "_waited", "_weight", "active")

    def __init__(self, others: Scaled) -> None:
        self._others = others
        self._balance = 0.0
        """Decisions less reports and what was added for unreported ones; negative if reports came first."""
        self._interval = 0
        self._weight = 0.0
        self._waited = 0
        self._remembered: tuple[tuple[Share, float], ...] = ()
        """Shares of the last reports."""
        self._scaled = 0.0
        """When they came."""
        self.active = 0.0
        """When there were decisions or reports for the last time."""

    @property
    def balance(self) -> float:
        """Decisions that are not in a group yet, less requests in groups whose decisions did not come yet."""
        return self._balance

    def settle(
        self,
        decisions: int,
        reports: int,
        cells: Sequence[Mapping[Share, int]],
        nearby: Iterable[Share] = (),
        *,
        denying: bool,
        now: float,
    ) -> None:
        """Account for an interval: its decisions, all its reports, and those of cells with an empty bucket.

        ``nearby`` are shares with reports in other cells of the same buckets. ``denying`` is whether any
        bucket was empty in this interval or the one before.
        """
        overdue = max(self._balance - reports, 0.0)
        self._balance += decisions - reports
        if decisions or reports:
            self.active = now
        if cells:
            self._waited, self._scaled = 0, now
            self._scale(cells, nearby, now)
            return
        if now - self._scaled > _FORGOTTEN:
            self._remembered = ()
        overdue = min(overdue, self._balance)
        if overdue <= 0:
            self._waited = 0
            return
        self._waited += 1
        if not denying or self._waited > _WAIT:
            self._share(overdue, now)

    def _scale(self, cells: Sequence[Mapping[Share, int]], nearby: Iterable[Share], now: float) -> None:
        """Distribute what is unreported by the shares of the groups in the cells."""
        total, squares = 0, 0
        sums: dict[Share, int] = {}
        uneven: dict[Share, tuple[int, int]] = {}
        for cell in cells:
            owned: dict[Share, int] = {}
            for sampled, reports in cell.items():
                owner = sampled.owner
                owned[owner] = owned.get(owner, 0) + reports
            size = sum(owned.values())
            total += size
            squares += size * size
            for owner, reports in owned.items():
                sums[owner] = sums.get(owner, 0) + reports
                square, product = uneven.get(owner, (0, 0))
                uneven[owner] = square + reports * reports, product + reports * size
        for share in nearby:
            uneven.setdefault(share.owner, (0, 0))
        self._weigh(sums, total)
        unreported = max(self._balance, 0.0)
        self._balance -= unreported
        factor = 1 + unreported / total
        if not unreported:
            return
        for share, (square, product) in uneven.items():
            reports = sums.get(share, 0)
            part = reports / total
            excess = square - 2 * part * product + part * part * squares
            excess -= part * (1 - part) * (total - squares / total)
            scaled = reports + share.doubt(self._interval)
            variance = scaled * factor * (factor - 1) * (1 - share.weight / self._weight)
            variance += (factor - 1) ** 2 * max(excess, 0.0)
            variance += share.bias(unreported * part, share.weight / self._weight)
            share.group.gain(unreported * part, variance, now)

    def _weigh(self, sums: Mapping[Share, int], total: int) -> None:
        self._interval += 1
        self._weight = self._weight * DECAY + total
        for share, reports in sums.items():
            share.weigh(reports, self._interval)
        largest = sorted(sums.items(), key=lambda item: item[1], reverse=True)[:_REMEMBERED]
        self._remembered = tuple((share, share.weight / self._weight) for share, _ in largest)

    def _share(self, decisions: float, now: float) -> None:
        """Distribute decisions without reports by the shares of the last ones."""
        self._balance -= decisions
        self._waited = 0
        rest = decisions
        for share, part in self._remembered:
            count = decisions * part
            rest -= count
            variance = count * (1 - part) * (1 + decisions / self._weight)
            variance += share.owner.bias(count, part)
            share.group.gain(count, variance, now)
        if rest > 1e-6 * decisions:
            self._others.gain(rest, 0.0, now)
