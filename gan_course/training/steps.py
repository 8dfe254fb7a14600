"""Steps that some methods bring along: a generator that looks ahead, and noise that fades."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import functional_call

from gan_course import device as devices
from gan_course.training.loop import descend, gan_step


def unrolled_g_step(unrolled: int = 5, learning_rate: float = 1e-2) -> Callable[..., dict[str, Tensor]]:
    """A generator's step against the discriminator that would answer it: unrolled GAN.

    The discriminator D_0 is moved ahead by `unrolled` steps of gradient descent on its own loss, on the batch in hand.
    The generator minimises its loss against D_k. The gradient goes *through* those k steps, as in the paper, and so
    holds both of its terms: how the loss changes with the fakes, and how D_k would change with them. (The cheaper
    first-order version, which drops the second term, is only a discriminator that is k steps ahead.) The real D is not
    moved. Its steps are plain gradient descent, as in the paper's definition.

    Args:
        unrolled: k, how many steps of D are looked ahead; 0 is the ordinary step.
        learning_rate: of these steps.

    The discriminator must be differentiable twice and have no BatchNorm, whose statistics would move.

    Source: Metz, Poole, Pfau, Sohl-Dickstein (2017), section 2.
    """

    def g_step(run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        run.discriminator.requires_grad_(False)
        start = {name: value.detach().requires_grad_(True) for name, value in run.discriminator.named_parameters()}

        def logits(weights: dict[str, Tensor], samples: Tensor) -> Tensor:
            with devices.autocast(run.device):
                return functional_call(run.discriminator, weights, (samples,)).float()

        weights = start
        for _ in range(unrolled):
            d_loss = run.loss.discriminator(logits(weights, real), logits(weights, fake))
            slopes = torch.autograd.grad(d_loss, list(weights.values()), create_graph=True)
            weights = {
                name: value - learning_rate * slope
                for (name, value), slope in zip(weights.items(), slopes, strict=True)
            }
        real_logits = logits(weights, real) if run.loss.needs_real else None
        loss = run.loss.generator(logits(weights, fake), real_logits)
        descend(run.g_optimizer, loss)
        if run.ema:
            run.ema.update()
        return {"g_loss": loss.detach()}

    return g_step


def fading_noise(std: float, until: float = 1.0) -> Callable[..., dict[str, Tensor]]:
    """A recipe's `step` for a discriminator in `networks.InstanceNoise`: its noise falls on a line from `std` to 0.

    Args:
        std: at the start.
        until: the share of the budget after which there is no noise.
    """

    def step(run) -> dict[str, Tensor]:
        run.discriminator.std = std * max(0.0, 1 - run.progress / until)
        return gan_step(run)

    return step
