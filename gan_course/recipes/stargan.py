"""StarGAN with the paper's settings, and the same method in minutes on a CPU."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from gan_course import networks, training
from gan_course.recipes.pieces import gradient_penalty, r1
from gan_course.recipes.recipe import Recipe, Shape


def stargan_generator(width: int, blocks: int, **arguments) -> Callable[[Shape, int], nn.Module]:
    """A maker of generators for any square image and number of domains; `arguments` are StarGANGenerator's."""
    return lambda shape, domains: networks.StarGANGenerator(domains, shape[1], shape[0], width, blocks, **arguments)


def stargan_digit_generator(width: int, blocks: int) -> Callable[[Shape, int], nn.Module]:
    """A maker of generators for strokes on a ground, of an even size, and any number of domains."""
    return lambda shape, domains: networks.StarGANDigitGenerator(domains, shape[1], shape[0], width, blocks)


def stargan_discriminator(width: int, **arguments) -> Callable[[Shape, int], nn.Module]:
    """A maker of discriminators for any square image and number of domains; `arguments` are StarGANDiscriminator's."""
    return lambda shape, domains: networks.StarGANDiscriminator(domains, shape[1], shape[0], width, **arguments)


PAPER = Recipe(
    name="stargan",
    source="Choi et al. (2018), sections 3.1, 4, 5.3 and appendix: WGAN-GP with 5 critic steps, lambda_cls 1, "
    "lambda_rec 10, Adam 1e-4 with betas (0.5, 0.999), falling on a line to 0 in the second half, batches of 16; fewer "
    "halvings in D, as the images are smaller",
    generator=stargan_generator(64, 6, first_norm=True),
    discriminator=stargan_discriminator(64),
    condition="planes at G's input, a domain head of D",
    loss="wasserstein",
    batch_size=16,
    g_learning_rate=1e-4,
    d_learning_rate=1e-4,
    learning_rate_decay=True,
    decay_from=0.5,
    n_critic=5,
    penalty=gradient_penalty,
    penalty_weight=10.0,
    class_weight=1.0,
    step=training.stargan_step(reconstruction_weight=10.0),
)
FAST = Recipe(
    name="stargan-fast",
    source="the course: Choi et al. (2018) for minutes on a CPU, with lambda_cls and lambda_rec 1; a small U-Net that "
    "sees light on dark, a D with instance norm and one logit for the whole image, an identity term as CycleGAN has, "
    "the non-saturating loss with R1 and 2 steps of D in place of WGAN-GP and 5, an average; chosen by "
    "benchmarks/search_stargan.py",
    generator=stargan_digit_generator(16, 3),
    discriminator=stargan_discriminator(32, patches=False, norm=True),
    condition="planes at G's input, a domain head of D",
    batch_size=32,
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    betas=(0.5, 0.99),
    learning_rate_decay=True,
    n_critic=2,
    penalty=r1,
    penalty_weight=0.005,
    penalty_every=8,
    class_weight=1.0,
    ema_decay=0.995,
    steps=1500,
    step=training.stargan_step(reconstruction_weight=1.0, identity_weight=1.0),
)
STARGAN = (PAPER, FAST)
