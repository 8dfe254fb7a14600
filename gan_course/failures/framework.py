"""What a failure is, and how one side of it is trained and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_course import metrics, training
from gan_course.data import toy
from gan_course.methods import Recipe

SAMPLES = 2_500


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

    def verdict(self, numbers: dict[str, float]) -> str:
        """ "failed", "cured", or "between" for numbers that `measure` returned. No number at all is a failure."""
        sign = 1 if self.heals > self.fails else -1
        value = sign * numbers[self.number]
        if value >= sign * self.heals:
            return "cured"
        return "between" if value > sign * self.fails else "failed"

    def differences(self) -> list[str]:
        """The settings in which the two recipes differ, the name aside."""
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
    training.train(run, steps=steps or failure.steps, callbacks=callbacks, log_every=10)
    numbers = failure.measure(run)
    return Outcome(run, numbers, failure.verdict(numbers))


def watched(g_step: Callable = training.g_step) -> Callable:
    """A generator's step that also measures the norms of both gradients: `g_gradient` and `d_gradient` in the history.

    Args:
        g_step: the step to watch; it is not changed.
    """

    def step(run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        measured = g_step(run, real, fake)
        return measured | {
            "g_gradient": gradient_norm(run.generator),
            "d_gradient": gradient_norm(run.discriminator),
        }

    return step


def gradient_norm(network: nn.Module) -> Tensor:
    """The Euclidean norm of the gradient that a network's last step went down, over all its weights: a scalar."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))


def mode_numbers(centers: Tensor, std: float) -> Callable[[training.Run], dict[str, float]]:
    """A `measure`: modes, high-quality share and KL(q || uniform) of 2,500 samples.

    Where no sample lies near a mode there is no q, and the kl is nan.
    """

    def measure(run: training.Run) -> dict[str, float]:
        captured = metrics.modes_captured(training.sample(run.sampler, SAMPLES, seed=1), centers, std)
        return {key: float(value) for key, value in captured._asdict().items()}

    return measure
