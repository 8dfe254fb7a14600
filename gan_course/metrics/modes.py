"""Modes captured, for toy distributions whose modes are known."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class ModesCaptured(NamedTuple):
    """modes: how many centers have a high-quality sample; high_quality: share of samples within 3 std of a center;
    kl: KL(q || uniform) in nats, q being the shares of the centers among the high-quality samples (nan without any).
    """

    modes: int
    high_quality: float
    kl: float


def modes_captured(samples: Tensor, centers: Tensor, std: float) -> ModesCaptured:
    """Count the modes that samples reach, and how well and how evenly.

    Args:
        samples: (N, 2), at least one.
        centers: (modes, 2).
        std: of each mode. For a perfect generator in two dimensions high_quality is 1 - exp(-4.5) = 0.989.

    Raises:
        ValueError: wrong shapes, no sample, or NaN.

    Source: Srivastava et al. (2017) and Lin et al. (2018), PacGAN.
    """
    samples, centers = (x.detach().cpu().double() for x in (samples, centers))
    if samples.ndim != 2 or samples.shape[1:] != centers.shape[1:] or len(samples) == 0:
        raise ValueError(
            f"Samples and centers must be (N, 2) and (modes, 2) with N > 0, but are {tuple(samples.shape)} and "
            f"{tuple(centers.shape)}."
        )
    if not samples.isfinite().all():
        raise ValueError("The samples hold NaN or infinity: the generator diverged.")
    distance, nearest = torch.cdist(samples, centers).min(1)
    good = distance <= 3 * std
    counts = torch.bincount(nearest[good], minlength=len(centers)).double()
    q = counts / counts.sum()
    kl = torch.special.xlogy(q, q * len(centers)).sum().item() if good.any() else math.nan
    return ModesCaptured(int((counts > 0).sum()), good.double().mean().item(), kl)
