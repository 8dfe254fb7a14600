"""A discriminator that sees its samples through noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class InstanceNoise(nn.Module):
    """Adds N(0, std^2) to everything a discriminator sees while it trains, real and generated, afresh each time.

    Real and generated samples often lie on thin sheets that do not meet. Then a discriminator can be perfect, and its
    slope on the fakes says nothing about where the data are. Blurred by the same noise, the two overlap.

    Args:
        discriminator: any; it is called with samples of the same shape.
        std: of the noise, in the units of the samples. It can be set at any time: `network.std = 0.1`.

    Raises:
        ValueError: std is negative.

    Source: Arjovsky and Bottou (2017), section 3; Sonderby et al. (2017), section 3.
    """

    def __init__(self, discriminator: nn.Module, std: float = 0.1):
        super().__init__()
        if std < 0:
            raise ValueError(f"The strength of the noise cannot be negative, but it is {std}.")
        self.discriminator = discriminator
        self.std = std

    def forward(self, samples: Tensor) -> Tensor:
        """Samples (N, ...) to the logits of their noisy copies. In evaluation mode nothing is added."""
        if self.training and self.std > 0:
            samples = samples + self.std * torch.randn_like(samples)
        return self.discriminator(samples)
