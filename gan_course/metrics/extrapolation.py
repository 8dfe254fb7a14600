"""The Frechet distance that endless samples would have, from a line through what few have."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gan_course.metrics.frechet import frechet_distance
from gan_course.metrics.inputs import check_features


class Extrapolation(NamedTuple):
    """value: the line at 1/N = 0, which may lie below 0; slope: of the distance against 1/N; sizes: N of each subset,
    int64 (points,); distances: of each, float64 (points,).
    """

    value: float
    slope: float
    sizes: Tensor
    distances: Tensor


def extrapolated_frechet(
    real: Tensor, fake: Tensor, points: int = 15, smallest: int | None = None, seed: int = 0
) -> Extrapolation:
    """Frechet distances of random subsets of the fakes, and the least-squares line against 1/N.

    The distance from N samples is too large by about a constant over N, and how large the constant is depends on the
    generator: at equal N the order of two generators can be wrong. All real samples are used each time, so the part of
    the bias that comes from their number stays.

    Args:
        real, fake: (N, D) and (M, D).
        points: subsets, their sizes equally spaced from `smallest` to M.
        smallest: default M // 10, but more than D, below which the bias is no line in 1/N.
        seed: of the subsets.

    Raises:
        ValueError: see inputs.check_features; or fewer than two different sizes.

    Source: Chong and Forsyth (2020), whose code takes 15 points from 5,000 to 50,000 and draws codes by Sobol
    sequences; here they are random.
    """
    real, fake = check_features(real, fake)
    smallest = max(len(fake) // 10, fake.shape[1] + 1) if smallest is None else smallest
    if points < 2 or not 2 <= smallest < len(fake):
        raise ValueError(
            f"A line needs two sizes or more: {points} points from {smallest} to {len(fake)} samples are none; "
            "draw more samples, or set smallest."
        )
    rng = torch.Generator().manual_seed(seed)
    sizes = torch.linspace(smallest, len(fake), points, dtype=torch.float64).round().long()
    rows = [torch.randperm(len(fake), generator=rng)[:size].to(fake.device) for size in sizes.tolist()]
    distances = torch.tensor([frechet_distance(real, fake[some]) for some in rows], dtype=torch.float64)
    inverse = 1 / sizes.double()
    x, y = inverse - inverse.mean(), distances - distances.mean()
    slope = (x * y).sum() / x.square().sum()
    return Extrapolation(float(distances.mean() - slope * inverse.mean()), float(slope), sizes, distances)
