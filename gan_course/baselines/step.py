"""The one step of all baselines: a model with a loss of its own, and nobody who judges it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_course.training import descend, distributed
from gan_course.training.run import Run


class NoDiscriminator(nn.Module):
    """Stands where a run has its discriminator, for methods that need none: no parameters, so nothing to train.

    The run, its checkpoints and its learning rates then need no special case. To call it is a mistake.
    """

    def forward(self, images: Tensor) -> Tensor:
        """There is nobody to ask.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("This method trains without a discriminator, so there is none that could judge images.")


def no_discriminator(*sizes) -> NoDiscriminator:
    """A recipe's `discriminator` for a method without one."""
    return NoDiscriminator()


def model_step(run: Run) -> dict[str, Tensor]:
    """One step of a model down the recipe's loss, which is a function (model, images, rng) -> scalar.

    All of it is in float32, on a GPU too: a flow's inverse and a likelihood in bits do not survive bfloat16.
    """
    images, _ = run.batch()
    loss = run.loss(run.generator, images, run.rng)
    descend(run.g_optimizer, loss)
    if run.ema:
        run.ema.update()
    return {"g_loss": loss.detach()}


def normal_like(x: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """Numbers from N(0, 1) in the shape of x (N, ...). Several processes share one draw, as they share a batch."""
    shape = (len(x) * distributed.size(), *x.shape[1:])
    return distributed.part(torch.randn(shape, generator=rng, device=x.device, dtype=x.dtype))


def uniform_like(x: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """Uniform numbers from [0, 1) in the shape of x (N, ...). Several processes share one draw."""
    shape = (len(x) * distributed.size(), *x.shape[1:])
    return distributed.part(torch.rand(shape, generator=rng, device=x.device, dtype=x.dtype))
