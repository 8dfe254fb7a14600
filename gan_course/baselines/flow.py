"""A normalising flow: an invertible map from images to normal noise, with a determinant that is cheap to know."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course.baselines import pixels
from gan_course.baselines.step import uniform_like
from gan_course.networks.blocks import check_latent, check_sides

# How far the logit stays away from its poles: Papamakarios et al. (2017), Masked autoregressive flow, for MNIST. With
# the 0.05 of Dinh et al. (2017), section 4.1, made for photographs, the many black pixels lie in a very narrow peak.
ALPHA = 1e-6
STEEPEST = 2.0  # a coupling multiplies by exp(-2) to exp(2)


class Coupling(nn.Module):
    """Half of the channels stay; they say by how much the other half is scaled and shifted.

    Args:
        channels: of the input, 2 or more.
        width: channels of the two hidden layers.
        kernel: of the first and the last convolution; 1 for points, which are images of one pixel.

    Source: Dinh, Sohl-Dickstein, Bengio (2017), section 3.2 and 3.3.
    """

    def __init__(self, channels: int, width: int, kernel: int = 3):
        super().__init__()
        self.kept = channels // 2
        changed = channels - self.kept
        self.network = nn.Sequential(
            nn.Conv2d(self.kept, width, kernel, padding=kernel // 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, 2 * changed, kernel, padding=kernel // 2),
        )
        nn.init.zeros_(self.network[-1].weight)  # so that every coupling starts as the identity
        nn.init.zeros_(self.network[-1].bias)

    def _scale_and_shift(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = self.network(kept).chunk(2, dim=1)
        return STEEPEST * torch.tanh(log_scale / STEEPEST), shift

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, C, H, W) to y of the same shape, and log |det dy/dx| (N,)."""
        kept, changed = x[:, : self.kept], x[:, self.kept :]
        log_scale, shift = self._scale_and_shift(kept)
        return torch.cat([kept, changed * log_scale.exp() + shift], 1), log_scale.flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """The way back; as cheap, because what the network reads has not changed."""
        kept, changed = y[:, : self.kept], y[:, self.kept :]
        log_scale, shift = self._scale_and_shift(kept)
        return torch.cat([kept, (changed - shift) * (-log_scale).exp()], 1)


class Mix(nn.Module):
    """An invertible 1x1 convolution with a bias, which decides what the next coupling keeps; it starts as a rotation.

    Source: Kingma and Dhariwal (2018), Glow, section 3.2.
    """

    def __init__(self, channels: int):
        super().__init__()
        rotation, _ = torch.linalg.qr(torch.randn(channels, channels))
        self.weight, self.bias = nn.Parameter(rotation), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, C, H, W) to y of the same shape, and log |det dy/dx| (N,)."""
        y = F.conv2d(x, self.weight[:, :, None, None], self.bias)
        return y, (x.shape[2] * x.shape[3] * torch.linalg.slogdet(self.weight)[1]).expand(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        """The way back."""
        return F.conv2d(y - self.bias[:, None, None], torch.linalg.inv(self.weight)[:, :, None, None])


class Squeeze(nn.Module):
    """Each square of 2x2 pixels becomes one pixel of four times as many channels: (N, C, H, W) to (N, 4C, H/2, W/2)."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The smaller, deeper image, and a log-determinant of 0: nothing is stretched."""
        return F.pixel_unshuffle(x, 2), x.new_zeros(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        """The way back."""
        return F.pixel_shuffle(y, 2)


class Flow(nn.Module):
    """x -> z with p(x) = N(z; 0, I) |det dz/dx|, and z -> x when it is called with codes.

    8-bit images are first made continuous, y = (level + u) / 256 with u uniform, and spread over the real line by
    logit(ALPHA + (1 - 2 ALPHA) y). Both count in the likelihood. For points nothing is done before.

    Args:
        image_shape: (C, H, W), both sides divisible by 2 for each level; or (dim,) for points.
        width: channels of the hidden layers of the couplings, one number a level; before each level the image is
            squeezed. For points there is one level, without a squeeze.
        steps: pairs of Mix and Coupling, one number a level.

    Raises:
        ValueError: a side cannot be halved as often as there are levels.

    Source: Dinh et al. (2017), with the 1x1 convolutions of Kingma and Dhariwal (2018) in the place of fixed masks, and
    without the paper's BatchNorm and without factoring out half of the variables.
    """

    def __init__(
        self,
        image_shape: tuple[int, ...] = (1, 28, 28),
        width: tuple[int, ...] = (32, 128),
        steps: tuple[int, ...] = (4, 12),
    ):
        super().__init__()
        self.config = {"image_shape": list(image_shape), "width": list(width), "steps": list(steps)}
        self.image_shape, self.latent_dim = tuple(image_shape), math.prod(image_shape)
        self.is_image = len(image_shape) == 3
        if self.is_image:
            check_sides(image_shape, 2 ** len(width))
        channels, layers = image_shape[0], []
        for level_width, level_steps in zip(width, steps, strict=True):
            if self.is_image:
                layers.append(Squeeze())
                channels *= 4
            for _ in range(level_steps):
                layers += [Mix(channels), Coupling(channels, level_width, 3 if self.is_image else 1)]
        self.layers = nn.ModuleList(layers)

    def spread(self, images: Tensor, u: Tensor | float = 0.5) -> tuple[Tensor, Tensor]:
        """8-bit images in [-1, 1] to the real line, and the log-determinant per image (N,), levels to logits.

        Args:
            u: where in its level each pixel lies, 0 to 1.
        """
        y = (pixels.to_levels(images) + u) / 256
        y = ALPHA + (1 - 2 * ALPHA) * y
        logits = y.log() - torch.log1p(-y)
        log_slope = math.log((1 - 2 * ALPHA) / 256) - y.log() - torch.log1p(-y)
        return logits, log_slope.flatten(1).sum(1)

    def gather(self, logits: Tensor) -> Tensor:
        """The real line to images in [-1, 1]; u = 1/2 comes back to exactly the image it came from."""
        y = (torch.sigmoid(logits) - ALPHA) / (1 - 2 * ALPHA)
        return ((256 * y - 0.5) / 127.5 - 1).clamp(-1, 1)

    def to_code(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Spread images or points (N, ...) to z (N, latent_dim), and log |det dz/dx| (N,)."""
        x = x if self.is_image else x[:, :, None, None]
        total = x.new_zeros(len(x))
        for layer in self.layers:
            x, log_determinant = layer(x)
            total = total + log_determinant
        return x.flatten(1), total

    def from_code(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) to spread images or points: the inverse of `to_code`."""
        check_latent(z, self.latent_dim)
        if not self.is_image:
            x = z[:, :, None, None]
        else:
            squeezes = sum(isinstance(layer, Squeeze) for layer in self.layers)
            channels, height, width = self.image_shape
            x = z.view(-1, channels * 4**squeezes, height // 2**squeezes, width // 2**squeezes)
        for layer in reversed(self.layers):
            x = layer.inverse(x)
        return x if self.is_image else x[:, :, 0, 0]

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) from N(0, 1) to images (N, C, H, W) in [-1, 1], or to points (N, dim)."""
        x = self.from_code(z)
        return self.gather(x) if self.is_image else x

    def encode(self, images: Tensor) -> Tensor:
        """The code of each image, (N, latent_dim): the one z that is drawn as this image."""
        return self.to_code(self.spread(images)[0] if self.is_image else images)[0]

    def log_likelihood(self, images: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """log p(x), (N,) in nats: exact for points; of 8-bit images a bound from below, with one u a pixel.

        Source: for the bound Theis, van den Oord, Bethge (2016), A note on the evaluation of generative models.
        """
        x, log_slope = self.spread(images, uniform_like(images, rng)) if self.is_image else (images, 0.0)
        z, log_determinant = self.to_code(x)
        log_normal = -0.5 * (z.square() + math.log(2 * math.pi)).sum(1)
        return log_normal + log_determinant + log_slope


def negative_log_likelihood(model: Flow, images: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """The flow's loss: bits per dimension (for points the same number of their density)."""
    return pixels.bits_per_dimension(model.log_likelihood(images, rng).mean(), model.image_shape)
