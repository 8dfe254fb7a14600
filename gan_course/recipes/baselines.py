"""Recipes of lesson 11: what a GAN is compared with. Nobody judges here; each model has a loss of its own."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from gan_course.baselines import (
    RBM,
    Flow,
    ImageDiffusion,
    ImageVAE,
    PixelCNN,
    PointDiffusion,
    PointVAE,
    model_step,
    no_discriminator,
)
from gan_course.baselines.autoregressive import negative_log_likelihood as pixelcnn_loss
from gan_course.baselines.diffusion import noise_error
from gan_course.baselines.flow import negative_log_likelihood as flow_loss
from gan_course.baselines.rbm import contrastive_divergence, rbm_step
from gan_course.baselines.vae import negative_bound
from gan_course.recipes.recipe import Recipe, Shape

GRID_STD = 2.83  # of the coordinates of the grid of 25: sqrt(8)


def cd_20(model: RBM, images: Tensor, rng) -> Tensor:
    """Contrastive divergence with 20 Gibbs steps, on bits drawn afresh for each batch."""
    return contrastive_divergence(model, model.bits(images, rng), 20, rng)


def rbm(shape: Shape | tuple[int]) -> RBM:
    """An RBM for images (C, H, W).

    Raises:
        ValueError: for points, which have no bits.
    """
    if len(shape) == 1:
        raise ValueError("An RBM draws bits, and the coordinates of points are none; take images, or another recipe.")
    return RBM(shape)


def vae(shape: Shape | tuple[int]) -> PointVAE | ImageVAE:
    """A VAE for points (dim,) or for images (C, H, W)."""
    return PointVAE(2, shape[0]) if len(shape) == 1 else ImageVAE(32, shape[1], shape[0], width=24, hidden=176)


def flow(shape: Shape | tuple[int]) -> Flow:
    """A flow for points (dim,) or for images (C, H, W)."""
    return Flow(shape, (64,), (8,)) if len(shape) == 1 else Flow(shape)


def diffusion(shape: Shape | tuple[int]) -> PointDiffusion | ImageDiffusion:
    """A diffusion model for points (dim,), on the scale of the grid of 25, or for images (C, H, W)."""
    return PointDiffusion(shape[0], scale=GRID_STD) if len(shape) == 1 else ImageDiffusion(shape)


VAE = Recipe(
    name="vae",
    source="Kingma and Welling (2014), on the networks of dcgan-fast, with a logistic likelihood of 8-bit pixels whose "
    "one scale is learned",
    generator=vae,
    discriminator=no_discriminator,
    loss=negative_bound,
    batch_size=64,
    g_learning_rate=4e-3,
    d_learning_rate=0.0,  # there is nobody to learn
    betas=(0.9, 0.999),
    learning_rate_decay=True,
    ema_decay=0.998,
    step=model_step,
)

BASELINES = (
    VAE,
    replace(
        VAE,
        name="rbm",
        source="Hinton (2002): contrastive divergence, here with 20 Gibbs steps, and Adam; visible biases start "
        "as in Hinton (2010)",
        generator=rbm,
        loss=cd_20,
        g_learning_rate=1e-2,
        step=rbm_step,
    ),
    replace(
        VAE,
        name="autoregressive",
        source="van den Oord, Kalchbrenner, Kavukcuoglu (2016): a small PixelCNN, of 16 grey levels",
        generator=PixelCNN,
        loss=pixelcnn_loss,
        batch_size=16,
    ),
    replace(
        VAE,
        name="flow",
        source="Dinh, Sohl-Dickstein, Bengio (2017): affine couplings, with the 1x1 convolutions of Kingma and "
        "Dhariwal (2018)",
        generator=flow,
        loss=flow_loss,
        batch_size=16,
        g_learning_rate=2e-3,
    ),
    replace(
        VAE,
        name="ddpm",
        source="Ho, Jain, Abbeel (2020), equation 14, on a small U-Net; drawn by DDIM (Song, Meng, Ermon, 2021)",
        generator=diffusion,
        loss=noise_error,
        batch_size=32,
        g_learning_rate=1e-3,
    ),
)
