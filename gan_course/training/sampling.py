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


@torch.inference_mode()
def rejection_sample(
    generator: nn.Module, discriminator: nn.Module, n: int, seed: int = 0, trial: int = 10_000, patience: int = 1_000
) -> Tensor:
    """`n` images that the discriminator lets pass, float32 (n, ...) on the CPU.

    The logit of a discriminator trained with the cross-entropy estimates log p/q, how much denser real samples are than
    generated ones. So a generated sample is kept with probability exp(logit - largest logit), the largest of `trial`
    samples: were D at its best, and that the true bound, those kept would have the density p.

    Args:
        discriminator: trained against this generator, with the minimax or the non-saturating loss.
        seed: of the codes and of the choice.
        trial: samples that the largest logit is taken from; they are not kept.
        patience: how many times n samples may be drawn before it gives up.

    Raises:
        RuntimeError: so many samples gave fewer than n.

    Source: Azadi, Olsson, Darrell, Goodfellow, Odena (2019), Discriminator Rejection Sampling, section 3.1.
    """
    was_training = discriminator.training
    discriminator.eval()
    place = next(discriminator.parameters()).device

    def drawn(count: int, its_seed: int) -> tuple[Tensor, Tensor]:
        images = sample(generator, count, its_seed)
        return images, torch.cat([discriminator(part.to(place)).float().cpu() for part in images.split(500)])

    largest = drawn(trial, seed)[1].max()
    rng, kept, count = torch.Generator().manual_seed(seed), [], 0
    for turn in range(1, patience + 1):
        images, logits = drawn(n, seed + turn)
        kept.append(images[torch.rand(n, generator=rng) < (logits - largest).exp()])
        count += len(kept[-1])
        if count >= n:
            discriminator.train(was_training)
            return torch.cat(kept)[:n]
    discriminator.train(was_training)
    raise RuntimeError(
        f"Of {patience * n:,} samples the discriminator let {count:,} pass, and {n:,} were asked for: it finds hardly "
        "any as good as its best. Train longer, or use sample()."
    )
