"""What changes while a recipe trains: networks, optimizers, random numbers, and the record of the losses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from gan_course import device as devices
from gan_course.losses import LOSSES
from gan_course.training import distributed
from gan_course.training.ema import ExponentialMovingAverage
from gan_course.training.pool import ImagePool


class Run:
    """Everything that changes while a recipe trains.

    Args:
        recipe: one of `methods.RECIPES`, or your own `methods.Recipe`.
        data: an ImageSet, or anything with `.image_shape` and `.batch(n, generator)`; with `.classes` and labels in its
            batches where the recipe has a condition; ImagePairs where it translates.
        seed: of the weights, the noise and the batches.
        device: default: the best one there is.

    Raises:
        ValueError: the recipe needs labels, and the data have none; or it needs pairs of images, or single ones, and
            the data are the other kind.

    Attributes:
        pools: of a recipe with image pools: "inputs" and "targets", of earlier fakes of each side; else None.
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
        if recipe.translation:
            data = replace(data, mirrored=recipe.translation.mirrored)
            if not recipe.translation.paired:
                data = data.unpaired()  # so that nothing below can know which image belongs to which
        self.data = data.to(self.device)
        self.pools = self._pools()
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

    def _pools(self) -> nn.ModuleDict | None:
        if not self.recipe.translation or not self.recipe.translation.pool:
            return None
        shapes = {"inputs": self.data.input_shape, "targets": self.data.image_shape}
        pools = {side: ImagePool(self.recipe.translation.pool, shape) for side, shape in shapes.items()}
        return nn.ModuleDict(pools).to(self.device)

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
        """The next real images (N, C, H, W) in [-1, 1] and their labels; of several processes, each gets its part.

        Where images are translated: inputs and targets, both (N, C, H, W).
        """
        first, second = self.data.batch(self.recipe.batch_size, self.rng)
        return self._laid_out(first), None if second is None else self._laid_out(second)

    def _laid_out(self, batch: Tensor) -> Tensor:
        """This process's part of a batch; of images, laid out in memory as convolutions like it best."""
        batch = distributed.part(batch)
        return batch.contiguous(memory_format=torch.channels_last) if batch.ndim == 4 else batch

    def noise(self, n: int | None = None) -> Tensor:
        """`n` codes z from N(0, 1), (n, latent_dim); by default one batch, or this process's part of it."""
        shape = (n or self.recipe.batch_size, self.generator.latent_dim)
        z = torch.randn(shape, generator=self.rng, device=self.device)
        return z if n else distributed.part(z)

    def set_learning_rates(self) -> None:
        """Both learning rates for the progress made: constant, or falling on a line to 0 at the end of the budget."""
        falling = (1 - self.progress) / (1 - self.recipe.decay_from)
        factor = min(1.0, falling) if self.recipe.learning_rate_decay else 1.0
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
    """What the recipe's networks are made for: the shape of a sample; with a condition also how many classes.

    Of a translation: the shapes of its inputs and of its targets.

    Raises:
        ValueError: the recipe needs labels, and the data have none; or it needs pairs, or single images, and the data
            are the other kind.
    """
    name, has_pairs = getattr(data, "name", "the data"), hasattr(data, "input_shape")
    if recipe.translation:
        if not has_pairs:
            raise ValueError(
                f"The recipe {recipe.name!r} turns images into other images, but {name!r} holds single ones: take "
                "pairs, such as emoji-outlines or emoji-styles, or a recipe that starts from noise, such as dcgan-fast."
            )
        if recipe.translation.identity and data.input_shape != data.image_shape:
            raise ValueError(
                f"The recipe {recipe.name!r} has an identity term, which shows a generator images of its own goal, but "
                f"those of {name!r} have the shapes {data.input_shape} and {data.image_shape}: take pairs of one "
                "shape, such as emoji-styles, or a recipe without this term, such as cyclegan-no-identity."
            )
        return data.input_shape, data.image_shape
    if has_pairs:
        raise ValueError(
            f"The recipe {recipe.name!r} starts from noise, but {name!r} holds pairs of images: take a set of single "
            "images, such as emoji-noto, or a recipe that translates, such as pix2pix or cyclegan."
        )
    if recipe.condition is None:
        return (data.image_shape,)
    if not getattr(data, "classes", None) or getattr(data, "labels", None) is None:
        raise ValueError(
            f"The recipe {recipe.name!r} tells its networks a class, but {name!r} has no "
            "labels: take a set with labels, such as mnist, or a recipe without a condition, such as dcgan-fast."
        )
    return data.image_shape, len(data.classes)
