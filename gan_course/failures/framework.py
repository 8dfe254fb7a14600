"""What a failure is, and how one side of it is trained and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gan_course import training
from gan_course.data import toy
from gan_course.methods import Recipe


@dataclass(frozen=True)
class Failure:
    """One failure and its cure: two recipes that differ in one change, and the number that decides.

    Attributes:
        name: its key in FAILURES.
        title: what goes wrong, in a few words.
        data: what is to be learned; `data.name` names it.
        broken, cured: the recipes. They differ in the settings that `differences()` returns, and in nothing else.
        change: the difference, in words.
        why: why it fails, and why the change cures it.
        steps: of the generator, for either side.
        measure: run -> the numbers of a trained side, by name.
        number: the name of the one that decides.
        fails, heals: it has failed at `fails` or worse, and is cured at `heals` or better. Larger is better where heals
            is above fails, and smaller is better otherwise.
        source: who described the failure or its cure.
        log_every: steps in one row of the run's history.
    """

    name: str
    title: str
    data: toy.PointSet
    broken: Recipe
    cured: Recipe
    change: str
    why: str
    steps: int
    measure: Callable[[training.Run], dict[str, float]]
    number: str
    fails: float
    heals: float
    source: str
    log_every: int = 10

    def verdict(self, numbers: dict[str, float]) -> str:
        """Of numbers that `measure` returned: "failed", "cured" or "between". A nan has failed."""
        sign = 1 if self.heals > self.fails else -1
        value = sign * numbers[self.number]
        if value >= sign * self.heals:
            return "cured"
        return "between" if value > sign * self.fails else "failed"

    def differences(self) -> list[str]:
        """The settings in which the two recipes differ, their names aside."""
        return [
            key
            for key, value in vars(self.broken).items()
            if value != getattr(self.cured, key) and key not in ("name", "source")
        ]


class Outcome(NamedTuple):
    """One trained side: the run, its numbers, and "failed", "cured" or "between"."""

    run: training.Run
    numbers: dict[str, float]
    verdict: str


def train(
    failure: Failure, side: str = "broken", seed: int = 0, steps: int | None = None, callbacks=(), device="cpu"
) -> Outcome:
    """Train one side of a failure and measure it.

    Args:
        failure: one of FAILURES.
        side: "broken" or "cured".
        seed: of weights, noise and points.
        steps: default: the failure's own.
        callbacks: as in training.train.
        device: the networks are so small that a CPU is faster than a GPU.

    Raises:
        ValueError: there is no such side.
    """
    if side not in ("broken", "cured"):
        raise ValueError(f"A failure has the sides 'broken' and 'cured', not {side!r}.")
    run = training.Run(getattr(failure, side), failure.data, seed, device)
    training.train(run, steps=steps or failure.steps, callbacks=callbacks, log_every=failure.log_every)
    numbers = failure.measure(run)
    return Outcome(run, numbers, failure.verdict(numbers))
