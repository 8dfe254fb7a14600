"""The small pair for points of one, two or a few dimensions, on which a whole GAN can be drawn."""

from __future__ import annotations

from torch import Tensor, nn

from gan_course.networks.blocks import check_latent


class PointGenerator(nn.Module):
    """z to points through fully connected layers with LeakyReLU(0.2). It ends in no tanh: a point may lie anywhere.

    Args:
        latent_dim: numbers in one z.
        dim: numbers in one point.
        widths: units of the hidden layers.
    """

    def __init__(self, latent_dim: int = 2, dim: int = 2, widths: tuple[int, ...] = (64, 64)):
        super().__init__()
        self.config = {"latent_dim": latent_dim, "dim": dim, "widths": list(widths)}
        self.latent_dim = latent_dim
        self.layers = _fully_connected(latent_dim, widths, dim)

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) to points (N, dim)."""
        check_latent(z, self.latent_dim)
        return self.layers(z)


class PointDiscriminator(nn.Module):
    """Points to logits through fully connected layers with LeakyReLU(0.2).

    Args:
        dim: numbers in one point.
        widths: units of the hidden layers.
    """

    def __init__(self, dim: int = 2, widths: tuple[int, ...] = (64, 64)):
        super().__init__()
        self.config = {"dim": dim, "widths": list(widths)}
        self.dim = dim
        self.layers = _fully_connected(dim, widths, 1)

    def forward(self, points: Tensor) -> Tensor:
        """Points (N, dim) to logits (N,).

        Raises:
            ValueError: the points have another shape.
        """
        if points.ndim != 2 or points.shape[1] != self.dim:
            raise ValueError(f"The discriminator expects points of shape (N, {self.dim}), not {tuple(points.shape)}.")
        return self.layers(points).squeeze(1)


def he_weights(network: nn.Module) -> nn.Module:
    """Initialise fully connected layers so that signals keep their size through LeakyReLU(0.2); returns the network.

    Source: He, Zhang, Ren, Sun (2015), equations 14 and 15.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            nn.init.zeros_(layer.bias)
    return network


def _fully_connected(inputs: int, widths: tuple[int, ...], outputs: int) -> nn.Sequential:
    layers = []
    for width in widths:
        layers += [nn.Linear(inputs, width), nn.LeakyReLU(0.2)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))
