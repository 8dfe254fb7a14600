"""The fully connected pair of lesson 02."""

from __future__ import annotations

import math

from torch import Tensor, nn

from gan_course.networks.blocks import Reshape, check_latent


class MLPGenerator(nn.Module):
    """z to image through fully connected layers: 100-256-512-1024-784 for MNIST, LeakyReLU(0.2), tanh.

    Args:
        latent_dim: numbers in one z.
        image_shape: (C, H, W).
        widths: units of the hidden layers.
    """

    def __init__(
        self,
        latent_dim: int = 100,
        image_shape: tuple[int, int, int] = (1, 28, 28),
        widths: tuple[int, ...] = (256, 512, 1024),
    ):
        super().__init__()
        self.config = {"latent_dim": latent_dim, "image_shape": list(image_shape), "widths": list(widths)}
        self.latent_dim = latent_dim
        self.image_shape = tuple(image_shape)
        layers, inputs = [], latent_dim
        for width in widths:
            layers += [nn.Linear(inputs, width), nn.LeakyReLU(0.2)]
            inputs = width
        self.layers = nn.Sequential(
            *layers, nn.Linear(inputs, math.prod(image_shape)), nn.Tanh(), Reshape(*image_shape)
        )

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        check_latent(z, self.latent_dim)
        return self.layers(z)


class MLPDiscriminator(nn.Module):
    """Image to logit, the generator's widths in reverse: 784-1024-512-256-1 for MNIST, LeakyReLU(0.2).

    Args:
        image_shape: (C, H, W).
        widths: units of the hidden layers.
    """

    def __init__(self, image_shape: tuple[int, int, int] = (1, 28, 28), widths: tuple[int, ...] = (1024, 512, 256)):
        super().__init__()
        self.config = {"image_shape": list(image_shape), "widths": list(widths)}
        layers, inputs = [nn.Flatten()], math.prod(image_shape)
        for width in widths:
            layers += [nn.Linear(inputs, width), nn.LeakyReLU(0.2)]
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] to logits (N,)."""
        return self.layers(images).squeeze(1)
