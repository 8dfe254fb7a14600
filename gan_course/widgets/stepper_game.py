"""The game behind the GAN stepper: one living run on points of the plane, moved by hand. Nothing here is a widget."""

from __future__ import annotations

import dataclasses
import math
import time

import torch
from torch import Tensor

from gan_course import methods, networks, training
from gan_course.losses import LOSSES
from gan_course.widgets.raster import PlainError
from gan_course.widgets.stepper_data import Data, point_set

RECIPE = methods.Recipe(
    name="stepper",
    source="the course",
    generator=lambda shape: networks.PointGenerator(2, shape[0], (64, 64, 64)),
    discriminator=lambda shape: networks.PointDiscriminator(shape[0], (64, 64, 64)),
    batch_size=256,
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    betas=(0.5, 0.99),
)


class Game:
    """A `training.Run` that one player at a time can be moved in, and whose recipe and data change while it lives.

    Every step is the package's own. `advance` calls the recipe's step, as `training.train` does; `step_d` followed by
    `step_g` is one `training.gan_step`, on the same samples.

    Args:
        recipe: of a GAN on points of the plane. Its rates do not fall, because a game has no budget.
        data: as for `point_set`.
        seed: of the weights, the noise and the batches.
        device: these networks are so small that a CPU is fast.

    Attributes:
        run: the training.Run; its history gets a row for every call of `advance`.
        recipe, data: as they are now. d_steps, g_steps: made since the start.
        measured: the latest losses, and D's mean answers to real and generated points.
    """

    def __init__(self, recipe: methods.Recipe, data: Data, seed: int = 0, device: str | torch.device = "cpu") -> None:
        self.recipe, self.data, self.seed, self.device = recipe, point_set(data), seed, device
        self.reset()

    def reset(self) -> None:
        """Start again from the first weights, with recipe and data as they are now. Global random numbers stay."""
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            self.run = training.Run(self.recipe, self.data, self.seed, self.device)
        self.d_steps = self.g_steps = 0
        self.measured: dict[str, float] = {}
        self._samples: tuple[Tensor, Tensor] | None = None

    def choose(self, data: Data) -> None:
        """Take other data under the living run; the networks stay as they are."""
        self.data = point_set(data)
        self.run.data = self.data.to(self.run.device)
        self._samples = None

    def change(self, **fields) -> None:
        """Change fields of the recipe under the living run: loss, penalty, rates, critic steps. The weights stay.

        Raises:
            KeyError: there is no such loss.
        """
        recipe = dataclasses.replace(self.recipe, **fields)
        self.run.loss = LOSSES[recipe.loss] if isinstance(recipe.loss, str) else recipe.loss
        self.recipe = self.run.recipe = recipe

    def step_d(self) -> None:
        """One step of the discriminator on new samples, which a `step_g` right after it uses again."""
        self._note(self._loop_without(g_step=self._keep), 1)
        self.d_steps += 1

    def step_g(self) -> None:
        """One step of the generator, on the samples of the `step_d` before it or on new ones."""
        if self._samples is None:
            self._loop_without(d_step=lambda *_: {}, g_step=self._keep)
        (real, fake), self._samples = self._samples, None  # one step uses their graph up
        self.run.set_learning_rates()
        self._count()
        self._note(self.recipe.g_step(self.run, real, fake), 1)

    def advance(self, steps: int, seconds: float = math.inf) -> int:
        """Make `steps` whole steps of the recipe, fewer if `seconds` pass first but at least one; says how many."""
        self._samples = None
        totals: dict[str, Tensor] = {}
        started, done = time.perf_counter(), 0
        while done < steps and (done == 0 or time.perf_counter() - started < seconds):
            critic_steps = self.recipe.critic_steps(self.run.step)
            self.run.set_learning_rates()
            for name, value in self.recipe.step(self.run).items():
                totals[name] = totals[name] + value if name in totals else value
            self.d_steps += critic_steps
            self._count()
            done += 1
        self.run.seconds += time.perf_counter() - started
        self._note(totals, done, record=True)
        return done

    def diverged(self) -> PlainError:
        """What to say when the networks, or what they answer, are no longer numbers."""
        return PlainError(
            f"Training diverged: after {self.d_steps} steps of D and {self.g_steps} of G the networks hold numbers "
            "that are infinite or none at all. Lower the learning rates or add a penalty, then press Reset."
        )

    def _loop_without(self, **parts) -> dict[str, Tensor]:
        """One step of the package's loop, with other parts in place of the recipe's."""
        self.run.recipe = dataclasses.replace(self.recipe, n_critic=1, **parts)
        try:
            self.run.set_learning_rates()
            return training.gan_step(self.run)
        finally:
            self.run.recipe = self.recipe

    def _keep(self, _: training.Run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """In place of a generator's step: keep its samples for later."""
        self._samples = real, fake
        return {}

    def _count(self) -> None:
        self.run.step += 1
        self.g_steps += 1

    def _note(self, totals: dict[str, Tensor], count: int, record: bool = False) -> None:
        """Read what `count` steps measured."""
        if record:
            try:
                self.run.record(totals, count)
            except FloatingPointError:
                raise self.diverged() from None
        self.measured |= {name: float(value) / count for name, value in totals.items()}
