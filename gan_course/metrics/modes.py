"""Modes captured, for distributions whose modes are known: by their centers, or by a classifier."""

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


class ClassesCaptured(NamedTuple):
    """modes: how many classes have a sample; kl: KL(q || uniform) in nats, q being the shares of the classes."""

    modes: int
    kl: float


def classes_captured(labels: Tensor, classes: int) -> ClassesCaptured:
    """Count the classes that samples reach, and how evenly; for Stacked MNIST the 1,000 numbers of three digits.

    Args:
        labels: int64 (N,), the class that a classifier takes each sample for, 0 to classes - 1.

    Raises:
        ValueError: no labels, or one out of range.

    Source: Metz et al. (2017), Unrolled GANs, for 1,000 modes; Lin et al. (2018), PacGAN, for the protocol.
    """
    labels = labels.detach().cpu().long()
    if labels.ndim != 1 or len(labels) == 0 or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"Labels must be (N,) with N > 0 and lie in 0..{classes - 1}, but have shape {tuple(labels.shape)}"
            + (f" and reach from {int(labels.min())} to {int(labels.max())}." if labels.numel() else ".")
        )
    q = torch.bincount(labels, minlength=classes).double() / len(labels)
    return ClassesCaptured(int((q > 0).sum()), torch.special.xlogy(q, q * classes).sum().item())
