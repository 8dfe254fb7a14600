"""What a GAN is compared with: other families of generative models, each one a module that draws images from codes.

Every model is called with z (N, latent_dim) from N(0, 1) and returns images (N, C, H, W) in [-1, 1], so whatever
samples, judges or explores a generator takes it as it is. The loss of each is a function (model, images, rng) ->
scalar, and the one step that all share is `model_step`.
"""

from gan_course.baselines import autoregressive, diffusion, flow, inversion, pixels, rbm, vae
from gan_course.baselines.autoregressive import PixelCNN
from gan_course.baselines.diffusion import ImageDiffusion, PointDiffusion
from gan_course.baselines.flow import Flow
from gan_course.baselines.inversion import find_codes
from gan_course.baselines.pixels import bits_per_dimension
from gan_course.baselines.rbm import RBM
from gan_course.baselines.step import NoDiscriminator, model_step, no_discriminator
from gan_course.baselines.vae import ImageVAE, PointVAE

__all__ = [
    "RBM",
    "Flow",
    "ImageDiffusion",
    "ImageVAE",
    "NoDiscriminator",
    "PixelCNN",
    "PointDiffusion",
    "PointVAE",
    "autoregressive",
    "bits_per_dimension",
    "diffusion",
    "find_codes",
    "flow",
    "inversion",
    "model_step",
    "no_discriminator",
    "pixels",
    "rbm",
    "vae",
]
