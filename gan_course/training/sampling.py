"""Images from a generator, outside of training."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.inference_mode()
def sample(generator: nn.Module, n: int, seed: int = 0, batch_size: int = 500) -> Tensor:
    """`n` images from a generator in evaluation mode, float32 (n, C, H, W) on the CPU, in [-1, 1].

    The codes are drawn on the CPU, so that a seed gives the same codes on every device.
    """
    place = next(generator.parameters()).device
    z = torch.randn(n, generator.latent_dim, generator=torch.Generator().manual_seed(seed))
    was_training = generator.training
    generator.eval()
    images = [generator(part.to(place)).float().cpu() for part in z.split(batch_size)]
    generator.train(was_training)
    return torch.cat(images)
