"""InfoGAN, and the same pair without the mutual-information bound in G's loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from gan_course import networks, training
from gan_course.recipes.recipe import Recipe, Shape


def infogan_generator(width: int, **arguments) -> Callable[[Shape], nn.Module]:
    """A maker of generators with the codes of the paper, for any square image; `arguments` are InfoGANGenerator's."""
    return lambda shape: networks.InfoGANGenerator(62, 10, 2, shape[1], shape[0], width, **arguments)


def infogan_discriminator(width: int, **arguments) -> Callable[[Shape], nn.Module]:
    """A maker of discriminators with Q on their trunk; `arguments` are those of InfoGANDiscriminator."""
    return lambda shape: networks.InfoGANDiscriminator(10, 2, shape[1], shape[0], width, **arguments)


PAPER = Recipe(
    name="infogan",
    source="Chen et al. (2016), appendix C: lambda 1, Adam, G 1e-3, D 2e-4; from the authors' code: beta1 0.5, Q with "
    "D, the standard deviation of Q's normal distribution fixed at 1. Noise from N(0, 1), theirs is uniform",
    generator=infogan_generator(64, hidden=1024),
    discriminator=infogan_discriminator(64),
    g_learning_rate=1e-3,
    d_learning_rate=2e-4,
    step=training.infogan_step(),
)
FAST = replace(
    PAPER,
    name="infogan-fast",
    source="the course: the rates of Chen et al. (2016) on narrower networks, a category that weighs as much as the "
    "noise in G's input, and an average; chosen by benchmarks/search_infogan.py",
    generator=infogan_generator(24, category_scale=8.0),
    discriminator=infogan_discriminator(24, hidden=256),
    batch_size=64,
    step=training.infogan_step(continuous_weight=0.3),
    ema_decay=0.998,
    steps=3_000,
)
# Q still learns to read the codes, but only reads: neither G nor D's trunk is told what it finds. So this is a plain
# GAN, with a gauge that says how many nats of the codes can be read from its images.
NO_BOUND = replace(
    FAST,
    name="infogan-fast-no-bound",
    source="the course: infogan-fast without the bound in G's loss; Q reads only",
    discriminator=infogan_discriminator(24, hidden=256, q_reads_only=True),
    step=training.infogan_step(continuous_weight=0.3, bound_in_g=False),
)
INFOGAN = (PAPER, FAST, NO_BOUND)
