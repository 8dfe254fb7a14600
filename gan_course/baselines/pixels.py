"""What models that know a likelihood say of pixels: grey levels, and the probability of one of 256 under a density."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

HALF = 1 / 255  # half the distance of two neighbouring grey levels in [-1, 1]


def bits_per_dimension(nats: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """How many bits a pixel costs: -nats / (dimensions * ln 2). Lower is better; 8 is what a uniform guess costs.

    Args:
        nats: log-likelihoods of whole images, or bounds on them, of any shape.
        image_shape: (C, H, W).
    """
    return -nats / (math.prod(image_shape) * math.log(2))


def to_levels(images: Tensor, levels: int = 256) -> Tensor:
    """Images in [-1, 1] to whole numbers 0..levels - 1, float; 8-bit images fall into bins of equal width."""
    bytes_ = ((images + 1) * 127.5).round().clamp(0, 255)
    return (bytes_ * (levels / 256)).floor()


def from_levels(numbers: Tensor, levels: int = 256) -> Tensor:
    """Whole numbers 0..levels - 1 to images in [-1, 1]; the darkest is -1, the brightest 1."""
    return numbers * (2 / (levels - 1)) - 1


def normal_log_density(x: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """log N(x; mean, std^2), summed over all but the first dimension: (N,) in nats."""
    squares = ((x - mean) * torch.exp(-log_std)).square()
    return -0.5 * (squares + 2 * log_std + math.log(2 * math.pi)).flatten(1).sum(1)


def discretised_logistic(images: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """log P of 8-bit images, when each pixel is a logistic variable rounded to one of 256 levels: (N,) in nats.

    A level owns what lies nearest to it; the darkest and the brightest own all that lies beyond. The difference of two
    sigmoids is written as a product, sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)), which
    underflows nowhere.

    Args:
        images: (N, ...), 8-bit values in [-1, 1].
        mean: of the same shape. log_scale: broadcasts with it.

    Source: Kingma et al. (2016), appendix; Salimans et al. (2017), section 2.1, with one component.
    """
    scale = torch.exp(-log_scale)
    upper, lower = (images - mean + HALF) * scale, (images - mean - HALF) * scale
    below_upper, above_lower = F.logsigmoid(upper), F.logsigmoid(-lower)
    inside = below_upper + above_lower + torch.log(-torch.expm1(-2 * HALF * scale))
    log_p = torch.where(images < -1 + HALF, below_upper, torch.where(images > 1 - HALF, above_lower, inside))
    return log_p.flatten(1).sum(1)


def discretised_normal(images: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """The same with a normal variable: (N,) in nats. Arguments as of `discretised_logistic`.

    Source: Ho et al. (2020), equation 13.
    """
    inverse_std, offset = torch.exp(-log_std), images - mean
    # Both ends are taken on the left of the mean, where log_ndtr keeps its digits.
    near_end = torch.special.log_ndtr((HALF - offset.abs()) * inverse_std)
    far_end = torch.special.log_ndtr((-HALF - offset.abs()) * inverse_std)
    inside = near_end + torch.log(-torch.expm1(far_end - near_end))
    beyond = torch.special.log_ndtr((HALF - images.sign() * offset) * inverse_std)  # the two ends of the scale
    return torch.where(images.abs() > 1 - HALF, beyond, inside).flatten(1).sum(1)
