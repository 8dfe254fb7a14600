"""InfoGAN, and the same pair without the mutual-information bound in G's loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from gan_course import networks, training
from gan_course.recipes.recipe import Recipe, Shape
from gan_course.recipes.unconditional import DCGAN_FAST


def infogan_generator(width: int, **arguments) -> Callable[[Shape], nn.Module]:
    """A maker of generators with the codes of the paper, for any square image; `arguments` are InfoGANGenerator's."""
    return lambda shape: networks.InfoGANGenerator(62, 10, 2, shape[1], shape[0], width, **arguments)


def infogan_discriminator(width: int, **arguments) -> Callable[[Shape], nn.Module]:
    """A maker of discriminators with Q on their trunk; `arguments` are those of InfoGANDiscriminator."""
    return lambda shape: networks.InfoGANDiscriminator(10, 2, shape[1], shape[0], width, **arguments)


PAPER = Recipe(
    name="infogan",
    source="Chen et al. (2016), appendix C.1: lambda 1, Adam with beta1 0.5, G 1e-3, D and Q 2e-4; the standard "
    "deviation of Q's normal distribution fixed at 1, as in the authors' code; noise from N(0, 1), theirs is uniform",
    generator=infogan_generator(64, hidden=1024),
    discriminator=infogan_discriminator(64),
    g_learning_rate=1e-3,
    d_learning_rate=2e-4,
    step=training.infogan_step(),
)
FAST = replace(
    DCGAN_FAST,
    name="infogan-fast",
    source="the course: the codes and the bound of Chen et al. (2016) on the networks and settings of dcgan-fast",
    generator=infogan_generator(24),
    discriminator=infogan_discriminator(24, batch_norm=False, hidden=128),
    step=training.infogan_step(),
)
# Q still learns to read the codes, but only reads: neither G nor D's trunk is told what it finds. So this is a plain
# GAN, with a gauge that says how many nats of the codes can be read from its images.
NO_BOUND = replace(
    FAST,
    name="infogan-fast-no-bound",
    source="the course: infogan-fast without the bound in G's loss; Q reads only",
    discriminator=infogan_discriminator(24, batch_norm=False, hidden=128, q_reads_only=True),
    step=training.infogan_step(bound_in_g=False),
)
INFOGAN = (PAPER, FAST, NO_BOUND)
