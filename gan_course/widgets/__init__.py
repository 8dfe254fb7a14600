"""Sliders and buttons for a notebook; each widget also draws itself as a static figure.

The explorer needs only a callable `z -> images`: codes (N, latent_dim) in, images (N, C, H, W) in [-1, 1] out. The
code explorer sets an InfoGAN's codes, the translation explorer shows `images -> images` on pairs. The stepper trains a
recipe on points of the plane, by the package's own steps. The damage panel spoils images and judges them.
"""

from gan_course.widgets.classes import ClassExplorer
from gan_course.widgets.codes import CodeExplorer
from gan_course.widgets.damage import DamagePanel
from gan_course.widgets.latent import LatentExplorer, random_directions, slerp
from gan_course.widgets.stepper import GANStepper
from gan_course.widgets.translation import TranslationExplorer

__all__ = [
    "ClassExplorer",
    "CodeExplorer",
    "DamagePanel",
    "GANStepper",
    "LatentExplorer",
    "TranslationExplorer",
    "random_directions",
    "slerp",
]
