"""Recipes for generators that are told a class: all are `dcgan-fast`, its networks and settings, and a condition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from gan_course import networks, training
from gan_course.recipes.recipe import Shape
from gan_course.recipes.unconditional import DCGAN_FAST


def conditional_generator(width: int, batch_norm_by_class: bool = False, latent_dim: int = 100) -> Callable:
    """A maker of conditional DCGAN generators of this width, for any square image and number of classes."""

    def make(shape: Shape, classes: int) -> nn.Module:
        return networks.ConditionalGenerator(latent_dim, classes, shape[1], shape[0], width, batch_norm_by_class)

    return make


def conditional_discriminator(kind: Callable[..., nn.Module], width: int, hidden: int) -> Callable:
    """A maker of discriminators of this kind, without BatchNorm, for any square image and number of classes."""

    def make(shape: Shape, classes: int) -> nn.Module:
        return kind(classes, shape[1], shape[0], width=width, batch_norm=False, hidden=hidden)

    return make


CGAN = replace(
    DCGAN_FAST,
    name="cgan",
    source="Mirza and Osindero (2014): the label is an input of both networks; here of convolutional ones",
    generator=conditional_generator(24),
    discriminator=conditional_discriminator(networks.ConcatenationDiscriminator, 24, 128),
    condition="concatenation",
)
PROJECTION = replace(
    CGAN,
    name="projection",
    source="Miyato and Koyama (2018), equation 3 for D; the label is an input of G, as in cgan",
    discriminator=conditional_discriminator(networks.ProjectionDiscriminator, 24, 128),
    condition="projection",
)

CONDITIONAL = (
    CGAN,
    replace(
        CGAN,
        name="acgan",
        source="Odena, Olah, Shlens (2017), section 3: D names the class too; both terms weigh 1",
        discriminator=conditional_discriminator(networks.AuxiliaryDiscriminator, 24, 128),
        condition="auxiliary classifier",
        class_weight=1.0,
        d_step=training.auxiliary_d_step,
        g_step=training.auxiliary_g_step,
    ),
    PROJECTION,
    replace(
        PROJECTION,
        name="projection-cbn",
        source="Miyato and Koyama (2018): equation 3 for D; every BatchNorm of G has a scale and a shift a class",
        generator=conditional_generator(24, batch_norm_by_class=True),
        condition="projection, BatchNorm by class",
    ),
)
