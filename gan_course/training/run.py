"""What changes while a recipe trains: networks, optimizers, random numbers, and the record of the losses."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gan_course import device as devices
from gan_course.losses import LOSSES
from gan_course.training import distributed
from gan_course.training.ema import ExponentialMovingAverage


class Run:
    """Everything that changes while a recipe trains.

    Args:
        recipe: one of `methods.RECIPES`, or your own `methods.Recipe`.
        data: an ImageSet, or anything with `.image_shape` and `.batch(n, generator)`; with `.classes` and labels in its
            batches where the recipe has a condition.
        seed: of the weights, the noise and the batches.
        device: default: the best one there is.

    Raises:
        ValueError: the recipe needs labels, and the data have none.

    Attributes:
        labels: of the batch in hand, int64 (N,) or None; real images and fakes share them.
        step: steps of the generator made so far. images_seen: real images shown to the discriminator.
        seconds, progress: training time, and the share of the budget that is used.
        history: one row of mean losses for every `log_every` steps.
    """

    def __init__(self, recipe, data, seed: int = 0, device: str | torch.device | None = None):
        distributed.join()
        self.recipe, self.seed = recipe, seed
        self.device = devices.get(device)
        devices.prepare(self.device)
        # Weights are drawn on the CPU, so that one seed gives the same start on every device and in every process.
        torch.manual_seed(seed)
        sizes = sizes_of(data, recipe)
        self.generator = self._place(recipe.generator(*sizes))
        self.discriminator = self._place(recipe.discriminator(*sizes))
        self.data = data.to(self.device)
        self.labels: Tensor | None = None
        self.rng = None if self.device.type == "meta" else torch.Generator(self.device).manual_seed(seed)
        self.loss = LOSSES[recipe.loss] if isinstance(recipe.loss, str) else recipe.loss
        self.g_optimizer = self._optimizer(self.generator, recipe.g_learning_rate)
        self.d_optimizer = self._optimizer(self.discriminator, recipe.d_learning_rate)
        self.ema = ExponentialMovingAverage(self.generator, recipe.ema_decay) if recipe.ema_decay else None
        self.step, self.images_seen, self.seconds, self.progress = 0, 0, 0.0, 0.0
        self.history: list[dict[str, float]] = []

    def _place(self, network: nn.Module) -> nn.Module:
        return network.to(self.device, memory_format=torch.channels_last)

    def _optimizer(self, network: nn.Module, learning_rate: float) -> torch.optim.Optimizer:
        parameters = [{"params": list(network.parameters())}]  # a group, which may be empty: see NoDiscriminator
        if self.recipe.optimizer == "rmsprop":
            return torch.optim.RMSprop(parameters, learning_rate)
        if self.recipe.optimizer != "adam":
            raise ValueError(f"The optimizer {self.recipe.optimizer!r} is not known; use 'adam' or 'rmsprop'.")
        fused = self.device.type in ("cpu", "cuda")
        return torch.optim.Adam(parameters, learning_rate, self.recipe.betas, fused=fused)

    @property
    def sampler(self) -> nn.Module:
        """The generator to draw samples from: the averaged one where the recipe averages."""
        return self.ema.network if self.ema else self.generator

    @property
    def generate(self) -> Callable[[Tensor], Tensor]:
        """The generator as a function of codes alone: if it is told a class, it is told the labels in hand."""
        return self._told(self.generator)

    @property
    def judge(self) -> Callable[[Tensor], Tensor]:
        """The discriminator as a function of images alone: if it is told a class, it is told the labels in hand."""
        return self._told(self.discriminator)

    def _told(self, network: nn.Module) -> Callable[[Tensor], Tensor]:
        return functools.partial(network, labels=self.labels) if hasattr(network, "classes") else network

    def batch(self) -> tuple[Tensor, Tensor | None]:
        """The next real images (N, C, H, W) in [-1, 1] and their labels; of several processes, each gets its part."""
        real, labels = self.data.batch(self.recipe.batch_size, self.rng)
        real = distributed.part(real)
        if real.ndim == 4:
            real = real.contiguous(memory_format=torch.channels_last)
        return real, None if labels is None else distributed.part(labels)

    def noise(self, n: int | None = None) -> Tensor:
        """`n` codes z from N(0, 1), (n, latent_dim); by default one batch, or this process's part of it."""
        shape = (n or self.recipe.batch_size, self.generator.latent_dim)
        z = torch.randn(shape, generator=self.rng, device=self.device)
        return z if n else distributed.part(z)

    def set_learning_rates(self) -> None:
        """Both learning rates for the progress made: constant, or falling on a line to 0 at the end of the budget."""
        factor = 1 - self.progress if self.recipe.learning_rate_decay else 1.0
        self.g_optimizer.param_groups[0]["lr"] = self.recipe.g_learning_rate * factor
        self.d_optimizer.param_groups[0]["lr"] = self.recipe.d_learning_rate * factor

    def record(self, totals: dict[str, Tensor], count: int) -> None:
        """Add the means of the last `count` steps to the history.

        Raises:
            FloatingPointError: one of them is no longer a number.
        """
        distributed.average(list(totals.values()))
        row = {name: float(value) / count for name, value in totals.items()}
        bad = [name for name, value in row.items() if value != value or abs(value) == float("inf")]
        if bad:
            raise FloatingPointError(
                f"Training diverged before step {self.step}: {', '.join(bad)} is no longer a number. Lower the "
                "learning rates, or go back to the last checkpoint."
            )
        self.history.append({"step": self.step, "seconds": self.seconds, **row})


def sizes_of(data, recipe) -> tuple:
    """What the recipe's networks are made for: the shape of a sample and, where there is a condition, how many classes.

    Raises:
        ValueError: the recipe needs labels, and the data have none.
    """
    if recipe.condition is None:
        return (data.image_shape,)
    classes = getattr(data, "classes", None)
    if not classes or getattr(data, "labels", None) is None:
        raise ValueError(
            f"The recipe {recipe.name!r} tells its networks a class, but {getattr(data, 'name', 'the data')!r} has no "
            "labels: take a set with labels, such as mnist, or a recipe without a condition, such as dcgan-fast."
        )
    return data.image_shape, len(classes)
