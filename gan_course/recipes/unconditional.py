"""Recipes for generators that are told nothing: from the first GAN to R3GAN, and the course's own."""

from __future__ import annotations

from dataclasses import replace

from gan_course.recipes.pieces import (
    dcgan_discriminator,
    dcgan_generator,
    gradient_penalty,
    mlp_discriminator,
    mlp_generator,
    r1,
    r1_r2,
    small_discriminator,
    small_generator,
    spectral_discriminator,
    wgan_schedule,
)
from gan_course.recipes.recipe import Recipe

# The row "gan" of lesson 05's table. The methods beside it share its networks, its batch size and all else that they do
# not change themselves. D has no BatchNorm where the method needs that. Nothing averages the generator, so that the
# table compares losses and constraints alone.
GAN = Recipe(
    name="gan",
    source="Goodfellow et al. (2014), the non-saturating loss; networks and Adam of Radford et al. (2016), smaller",
    generator=dcgan_generator(16),
    discriminator=dcgan_discriminator(16, hidden=64),
    batch_size=64,
)
PENALISED = replace(GAN, discriminator=dcgan_discriminator(16, batch_norm=False, hidden=64))

DCGAN_FAST = Recipe(
    name="dcgan-fast",
    source="the course: chosen by benchmarks/search_dcgan_fast.py for quality after two minutes on two CPU cores",
    generator=dcgan_generator(24),
    discriminator=dcgan_discriminator(24, batch_norm=False, hidden=128),
    batch_size=64,
    g_learning_rate=4e-3,
    d_learning_rate=4e-3,
    betas=(0.0, 0.99),
    learning_rate_decay=True,
    penalty=r1,
    penalty_weight=0.5,
    penalty_every=8,
    ema_decay=0.998,
)

UNCONDITIONAL = (
    Recipe(
        name="vanilla",
        source="Goodfellow et al. (2014): two multi-layer perceptrons and the non-saturating loss; with Adam as "
        "in Radford et al. (2016) in place of the paper's momentum, and LeakyReLU in place of maxout",
        generator=mlp_generator,
        discriminator=mlp_discriminator,
    ),
    Recipe(
        name="dcgan",
        source="Radford, Metz, Chintala (2016), sections 3 and 4: the paper's settings, for small images",
        generator=dcgan_generator(64),
        discriminator=dcgan_discriminator(64),
    ),
    DCGAN_FAST,
    GAN,
    replace(
        GAN,
        name="lsgan",
        source="Mao et al. (2017), with targets 0 and 1; Adam 2e-4 with beta1 0.5, as in the authors' code for "
        "written characters",
        loss="least_squares",
    ),
    replace(
        GAN,
        name="wgan",
        source="Arjovsky, Chintala, Bottou (2017), Algorithm 1: RMSprop 5e-5, clip 0.01, 5 critic steps; 100 of "
        "them at the start and at times, as in the authors' code",
        loss="wasserstein",
        optimizer="rmsprop",
        g_learning_rate=5e-5,
        d_learning_rate=5e-5,
        clip=0.01,
        n_critic=wgan_schedule,
    ),
    replace(
        PENALISED,
        name="wgan-gp",
        source="Gulrajani et al. (2017), Algorithm 1: Adam 1e-4 with betas (0, 0.9), lambda 10, 5 critic steps",
        loss="wasserstein",
        g_learning_rate=1e-4,
        d_learning_rate=1e-4,
        betas=(0.0, 0.9),
        n_critic=5,
        penalty=gradient_penalty,
        penalty_weight=10.0,
    ),
    replace(
        PENALISED,
        name="wgan-gp-fast",
        source="the course: wgan-gp for minutes in place of hours, with the larger, falling learning rates and the "
        "average of dcgan-fast, and 2 critic steps",
        loss="wasserstein",
        g_learning_rate=2e-3,
        d_learning_rate=2e-3,
        betas=(0.0, 0.9),
        learning_rate_decay=True,
        n_critic=2,
        penalty=gradient_penalty,
        penalty_weight=10.0,
        ema_decay=0.998,
    ),
    replace(
        GAN,
        name="sngan",
        source="Miyato et al. (2018): hinge loss (equations 16 and 17), Adam 2e-4 with betas (0.5, 0.999) and "
        "one step of D, one of the settings of its Table 1",
        discriminator=spectral_discriminator(16, hidden=64),
        loss="hinge",
    ),
    replace(
        PENALISED,
        name="r1",
        source="Mescheder, Geiger, Nowozin (2018): equation 9 with gamma 10 as in the paper (the authors' "
        "code leaves out the factor 1/2); RMSprop 1e-4 with alpha 0.99 as in their code",
        optimizer="rmsprop",
        g_learning_rate=1e-4,
        d_learning_rate=1e-4,
        penalty=r1,
        penalty_weight=5.0,
    ),
    replace(
        PENALISED,
        name="relativistic-r1-r2",
        source="Huang et al. (2024), R3GAN: the relativistic loss with R1 and R2; Adam 2e-4 with beta1 0. "
        "The authors' code schedules rate, beta2 and gamma; constant here, and gamma 1 is the course's choice "
        "(their presets: 0.05 to 0.005 for CIFAR-10, 2 to 0.2 for FFHQ-64)",
        loss="relativistic",
        betas=(0.0, 0.99),
        penalty=r1_r2,
        penalty_weight=0.5,
    ),
    Recipe(
        name="points-fast",
        source="the course: the non-saturating loss with R1 (Mescheder et al., 2018) for points of the plane; "
        "chosen by benchmarks/search_toy_modes.py for two minutes on one CPU core",
        generator=small_generator,
        discriminator=small_discriminator,
        g_learning_rate=2e-3,
        d_learning_rate=2e-3,
        betas=(0.0, 0.99),
        learning_rate_decay=True,
        penalty=r1,
        penalty_weight=0.1,
        last_penalty_weight=0.002,
        penalty_every=8,
        ema_decay=0.999,
        steps=40_000,
    ),
)
