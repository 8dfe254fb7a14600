"""The variational autoencoder: an encoder guesses the code of an image, and a decoder draws the image again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_course import networks
from gan_course.baselines import pixels
from gan_course.baselines.step import normal_like
from gan_course.networks.blocks import check_latent

REACH = 2.0  # how far a pixel's location can go


class Bound(NamedTuple):
    """The two terms of the bound, (N,) each in nats: elbo = reconstruction - kl."""

    reconstruction: Tensor
    kl: Tensor


def kl_to_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL of N(mean, variance) from N(0, I): 1/2 sum(mean^2 + variance - log variance - 1), (N,) in nats, never below 0.

    Args:
        mean, log_variance: (N, latent_dim).

    Source: Kingma and Welling (2014), appendix B, which gives it with the other sign.
    """
    return 0.5 * (mean.square() + (log_variance.expm1() - log_variance)).sum(1)


def reparameterise(mean: Tensor, log_variance: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """Codes z = mean + std * noise, (N, latent_dim): random, and yet with a gradient to mean and variance.

    Source: Kingma and Welling (2014), section 2.4.
    """
    return mean + (0.5 * log_variance).exp() * normal_like(mean, rng)


class VAE(nn.Module):
    """Codes z from N(0, I); an image given z is spread around location(z), with one learned scale for all pixels.

    Called with codes it draws the location, without the spread of single pixels, as is usual.

    Args:
        encoder: images -> (N, 2 * latent_dim), mean and log variance of q(z | x) side by side.
        decoder: z -> images.
        latent_dim: numbers in one z.
        image_shape: (C, H, W), or (dim,) for points.
        likelihood: (images, location(z), log_scale) -> log p(x | z), (N,) in nats. For 8-bit images by default.

    Source: Kingma and Welling (2014), equation 3 and section 3.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent_dim: int,
        image_shape: tuple[int, ...],
        likelihood: Callable[[Tensor, Tensor, Tensor], Tensor] = pixels.discretised_logistic,
    ):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.latent_dim, self.image_shape, self.likelihood = latent_dim, tuple(image_shape), likelihood
        self.log_scale = nn.Parameter(torch.tensor(-2.0))

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x), (N, latent_dim) each."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def location(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) to the middle of each pixel's distribution, (N, C, H, W)."""
        check_latent(z, self.latent_dim)
        return self.decoder(z)

    def decode(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) to images, (N, C, H, W)."""
        return self.location(z)

    def forward(self, z: Tensor) -> Tensor:
        """As `decode`, so that a VAE is drawn from like any generator."""
        return self.decode(z)

    def reconstruct(self, images: Tensor) -> Tensor:
        """Images drawn again from the mean of their codes."""
        return self.decode(self.encode(images)[0])

    def bound(self, images: Tensor, rng: torch.Generator | None = None) -> Bound:
        """Both terms of the bound, with one code an image."""
        mean, log_variance = self.encode(images)
        location = self.location(reparameterise(mean, log_variance, rng))
        return Bound(self.likelihood(images, location, self.log_scale), kl_to_prior(mean, log_variance))

    def elbo(self, images: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """A bound from below on log p(x), (N,) in nats, estimated with one code an image."""
        bound = self.bound(images, rng)
        return bound.reconstruction - bound.kl


class ImageVAE(VAE):
    """The VAE made of a DCGAN turned round: the discriminator's layers encode, the generator decodes.

    A pixel's location is the generator's output times REACH, and may lie beyond -1 and 1: that is how the decoder says
    that it is sure of black or white, which own all that lies beyond. Images are cut off there.

    Args:
        latent_dim: numbers in one z.
        image_size: height and width; 28, 32, 64 or another doubling of 4 to 7.
        channels: 1 for grey, 3 for RGB.
        width: channels next to the image, in both.
        hidden: units of the encoder's fully connected layer.
    """

    def __init__(
        self, latent_dim: int = 32, image_size: int = 28, channels: int = 1, width: int = 24, hidden: int = 176
    ):
        encoder = networks.DCGANDiscriminator(image_size, channels, width, batch_norm=False, hidden=hidden).layers
        encoder[-1] = nn.Linear(hidden, 2 * latent_dim)
        networks.initialise_dcgan(encoder[-1])
        decoder = networks.DCGANGenerator(latent_dim, image_size, channels, width)
        super().__init__(encoder, decoder, latent_dim, decoder.image_shape)
        self.config = {
            "latent_dim": latent_dim,
            "image_size": image_size,
            "channels": channels,
            "width": width,
            "hidden": hidden,
        }

    def location(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) to the middle of each pixel's distribution, in [-REACH, REACH]."""
        return REACH * super().location(z)

    def decode(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        return self.location(z).clamp(-1, 1)


class PointVAE(VAE):
    """A VAE for points (dim,), with a normal density around decoder(z).

    Args:
        latent_dim: numbers in one z.
        dim: numbers in one point.
        widths: units of the hidden layers of both networks.
    """

    def __init__(self, latent_dim: int = 2, dim: int = 2, widths: tuple[int, ...] = (64, 64, 64)):
        encoder = networks.he_weights(networks.PointGenerator(dim, 2 * latent_dim, widths))
        decoder = networks.he_weights(networks.PointGenerator(latent_dim, dim, widths))
        super().__init__(encoder, decoder, latent_dim, (dim,), pixels.normal_log_density)
        self.config = {"latent_dim": latent_dim, "dim": dim, "widths": list(widths)}


def negative_bound(model: VAE, images: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """The VAE's loss: minus the mean bound, in bits per dimension."""
    return pixels.bits_per_dimension(model.elbo(images, rng).mean(), model.image_shape)


def linear_gaussian_log_likelihood(points: Tensor, weight: Tensor, bias: Tensor, log_std: Tensor) -> Tensor:
    """log p(x) in closed form, (N,) in nats, when x = weight z + bias + std * noise: the bound can be held against it.

    Args:
        points: (N, dim). weight: (dim, latent_dim). bias: (dim,). log_std: scalar.

    Source: Tipping and Bishop (1999), Probabilistic principal component analysis.
    """
    covariance = weight @ weight.T + torch.exp(2 * log_std) * torch.eye(len(weight)).to(weight)
    factor = torch.linalg.cholesky(covariance)
    whitened = torch.linalg.solve_triangular(factor, (points - bias).T, upper=False)  # (dim, N)
    log_determinant = 2 * factor.diagonal().log().sum()
    return -0.5 * (whitened.square().sum(0) + log_determinant + len(weight) * math.log(2 * math.pi))
