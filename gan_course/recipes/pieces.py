"""Pieces of recipes: penalties, schedules, and makers of networks for any image shape."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gan_course import networks, penalties
from gan_course.recipes.recipe import Shape
from gan_course.training import distributed


def wgan_schedule(generator_step: int) -> int:
    """How often the critic of the first WGAN is trained: 100 steps at the start and now and then, else 5.

    Source: the authors' code, main.py of martinarjovsky/WassersteinGAN; the paper's Algorithm 1 has 5 throughout.
    """
    return 100 if generator_step < 25 or generator_step % 500 == 0 else 5


def gradient_penalty(discriminator: nn.Module, real: Tensor, fake: Tensor, rng) -> Tensor:
    """The penalty of WGAN-GP as a recipe wants it. Several processes share one draw, as they share a batch."""
    u = torch.rand(len(real) * distributed.size(), generator=rng, device=real.device, dtype=real.dtype)
    return penalties.gradient_penalty(discriminator, real, fake, u=distributed.part(u))


def r1(discriminator: nn.Module, real: Tensor, fake: Tensor, rng) -> Tensor:
    """The R1 penalty as a recipe wants it."""
    real = real.detach().requires_grad_(True)
    return penalties.r1(discriminator(real), real)


def r2(discriminator: nn.Module, real: Tensor, fake: Tensor, rng) -> Tensor:
    """The R2 penalty as a recipe wants it."""
    fake = fake.detach().requires_grad_(True)
    return penalties.r2(discriminator(fake), fake)


def r1_r2(discriminator: nn.Module, real: Tensor, fake: Tensor, rng) -> Tensor:
    """R1 and R2 together, with one weight for both."""
    return r1(discriminator, real, fake, rng) + r2(discriminator, real, fake, rng)


def dcgan_generator(width: int, latent_dim: int = 100) -> Callable[[Shape], nn.Module]:
    """A maker of DCGAN generators of this width for any square image."""
    return lambda shape: networks.DCGANGenerator(latent_dim, shape[1], shape[0], width)


def dcgan_discriminator(width: int, batch_norm: bool = True, hidden: int = 0) -> Callable[[Shape], nn.Module]:
    """A maker of DCGAN discriminators of this width for any square image."""
    return lambda shape: networks.DCGANDiscriminator(shape[1], shape[0], width, batch_norm, hidden)


def spectral_discriminator(width: int, hidden: int = 0) -> Callable[[Shape], nn.Module]:
    """A maker of DCGAN discriminators with a spectral norm on every layer and no BatchNorm, which would undo it."""
    make = dcgan_discriminator(width, batch_norm=False, hidden=hidden)
    return lambda shape: networks.spectral_norm(make(shape))


def mlp_generator(shape: Shape) -> nn.Module:
    """The multi-layer perceptron of lesson 02 for images of this shape."""
    return networks.MLPGenerator(image_shape=shape)


def mlp_discriminator(shape: Shape) -> nn.Module:
    """The other player, mirrored."""
    return networks.MLPDiscriminator(image_shape=shape)


def small_generator(shape: Shape | tuple[int]) -> nn.Module:
    """Five hidden layers of 64 units, for points (dim,) or for images (C, H, W): depth makes sharp edges."""
    if len(shape) == 1:
        return networks.he_weights(networks.PointGenerator(2, shape[0], (64,) * 5))
    return networks.he_weights(networks.MLPGenerator(image_shape=shape, widths=(64,) * 5))


def small_discriminator(shape: Shape | tuple[int]) -> nn.Module:
    """The other player, with three hidden layers."""
    if len(shape) == 1:
        return networks.he_weights(networks.PointDiscriminator(shape[0], (64,) * 3))
    return networks.he_weights(networks.MLPDiscriminator(image_shape=shape, widths=(64,) * 3))
