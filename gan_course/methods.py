"""One recipe per method: which networks, losses, penalty, optimizers, and how many critic steps. Nothing else.

The recipes are written down in `gan_course/recipes`, one file a topic; this module is where they are looked up.
"""

from __future__ import annotations

from gan_course.recipes.baselines import BASELINES
from gan_course.recipes.conditional import CONDITIONAL, conditional_discriminator, conditional_generator
from gan_course.recipes.infogan import INFOGAN, infogan_discriminator, infogan_generator
from gan_course.recipes.pieces import (
    dcgan_discriminator,
    dcgan_generator,
    gradient_penalty,
    mlp_discriminator,
    mlp_generator,
    r1,
    r1_r2,
    r2,
    small_discriminator,
    small_generator,
    spectral_discriminator,
    wgan_schedule,
)
from gan_course.recipes.recipe import Recipe, Shape, Translation
from gan_course.recipes.stargan import (
    STARGAN,
    stargan_digit_generator,
    stargan_discriminator,
    stargan_generator,
)
from gan_course.recipes.translation import (
    TRANSLATION,
    correction_generator,
    cycle_discriminator,
    cycle_generator,
    pair_discriminator,
    unet_generator,
)
from gan_course.recipes.unconditional import GAN, PENALISED, UNCONDITIONAL

__all__ = [
    "GAN",
    "PENALISED",
    "RECIPES",
    "Recipe",
    "Shape",
    "Translation",
    "conditional_discriminator",
    "conditional_generator",
    "correction_generator",
    "cycle_discriminator",
    "cycle_generator",
    "dcgan_discriminator",
    "dcgan_generator",
    "gradient_penalty",
    "infogan_discriminator",
    "infogan_generator",
    "mlp_discriminator",
    "mlp_generator",
    "pair_discriminator",
    "r1",
    "r1_r2",
    "r2",
    "small_discriminator",
    "small_generator",
    "spectral_discriminator",
    "stargan_digit_generator",
    "stargan_discriminator",
    "stargan_generator",
    "unet_generator",
    "wgan_schedule",
]

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (*UNCONDITIONAL, *CONDITIONAL, *INFOGAN, *TRANSLATION, *STARGAN, *BASELINES)
}
