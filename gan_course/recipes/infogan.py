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


WEIGHTS = (1.0, 0.3)  # of the fast recipes: of the bound for the category, and of that for the continuous codes

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


def fast(name: str, source: str, category_scale: float, bound_in_g: bool = True) -> Recipe:
    """InfoGAN for minutes on a CPU: the paper's rates on narrower networks, smaller batches, and an average.

    Without `bound_in_g` Q still learns to read the codes, but only reads: neither G nor D's trunk is told what it
    finds. So that is a plain GAN with codes, and a gauge that says how many nats of them its images give away.
    """
    return replace(
        PAPER,
        name=name,
        source=f"the course: {source}; the rates of Chen et al. (2016), weights of the bound and the scale of the "
        "category chosen by benchmarks/search_infogan.py",
        generator=infogan_generator(24, category_scale=category_scale),
        discriminator=infogan_discriminator(24, hidden=256, q_reads_only=not bound_in_g),
        batch_size=64,
        step=training.infogan_step(WEIGHTS[0], WEIGHTS[1], bound_in_g),
        ema_decay=0.998,
        steps=3_000,
    )


INFOGAN = (
    PAPER,
    fast("infogan-fast", "a category that weighs as much as the noise in G's input", 8.0),
    fast("infogan-fast-no-bound", "infogan-fast without the bound in G's loss", 8.0, bound_in_g=False),
    fast("infogan-fast-quiet", "infogan-fast with the paper's one-hot category, which the noise drowns", 1.0),
    fast("infogan-fast-quiet-no-bound", "infogan-fast-quiet without the bound in G's loss", 1.0, bound_in_g=False),
)
