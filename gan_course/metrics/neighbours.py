"""Precision, recall, density and coverage, from the distances to the k nearest neighbours."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gan_course.metrics.inputs import check_features

BLOCK = 1024


class PRDC(NamedTuple):
    """Fidelity (precision, density) and variety (recall, coverage); density may exceed 1, the others may not."""

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(real: Tensor, fake: Tensor, k: int = 5) -> PRDC:
    """How many samples of one set lie among the other's.

    Around each point of a set lies a ball that reaches to its k-th nearest neighbour in the same set.
    precision: share of fakes inside at least one real ball. recall: share of reals inside at least one fake ball.
    density: mean number of real balls around a fake, over k. coverage: share of real balls that hold a fake.

    Args:
        real, fake: (N, D) and (M, D), more than k rows each. Distances are made a block at a time: 10,000 by 10,000
            needs about 300 MB on top of a copy of the features.
        k: the neighbour, not counting the point itself.

    Raises:
        ValueError: see inputs.check_features; or k is below 1.

    Source: Kynkaanniemi et al. (2019) for precision and recall, Naeem et al. (2020) for density and coverage.
    """
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1.")
    real, fake = check_features(real, fake, at_least=k + 1)
    # Distances do not change with the origin, and near their middle the squares lose the fewest digits.
    middle = real.mean(0)
    real, fake = real - middle, fake - middle
    real_radii, fake_radii = _squared_radii(real, k), _squared_radii(fake, k)
    in_real_balls = torch.zeros(len(fake), dtype=torch.long, device=real.device)
    recalled, covered = [], []
    for rows, radii in zip(real.split(BLOCK), real_radii.split(BLOCK), strict=True):
        distances = squared_distances(rows, fake)
        in_real_balls += (distances < radii[:, None]).sum(0)
        recalled.append((distances < fake_radii).any(1))
        covered.append(distances.amin(1) < radii)
    return PRDC(
        precision=(in_real_balls > 0).double().mean().item(),
        recall=torch.cat(recalled).double().mean().item(),
        density=in_real_balls.double().mean().item() / k,
        coverage=torch.cat(covered).double().mean().item(),
    )


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """||x - y||^2 of all pairs (N, M), at least 0, as |x|^2 + |y|^2 - 2 x . y.

    Args:
        x, y: float64 (N, D) and (M, D).
    """
    products = torch.addmm(y.square().sum(1).expand(len(x), -1), x, y.T, alpha=-2)
    return products.add_(x.square().sum(1)[:, None]).clamp_min_(0)


def _squared_radii(points: Tensor, k: int) -> Tensor:
    """The squared distance of each point to its k-th nearest neighbour, (N,); 0 where it is a rounding error.

    The nearest of all is the point itself. Each pair of points is looked at once: a block of distances serves the
    points of its rows and those of its columns.
    """
    best = points.new_full((len(points), k + 1), torch.inf)
    for start in range(0, len(points), BLOCK):
        distances = squared_distances(points[start : start + BLOCK], points[start:])
        for_rows, for_columns = best[start : start + BLOCK], best[start + BLOCK :]
        for_rows.copy_(_smallest(torch.cat([for_rows, distances], 1), k + 1))
        if len(for_columns):
            for_columns.copy_(_smallest(torch.cat([for_columns, distances[:, BLOCK:].T], 1), k + 1))
    radii, rounding = best[:, k], 64 * torch.finfo(points.dtype).eps * points.square().sum(1)
    return radii.where(radii > rounding, 0.0)


def _smallest(values: Tensor, count: int) -> Tensor:
    """The `count` smallest of each row, the largest of them last."""
    return values.topk(count, dim=1, largest=False).values
