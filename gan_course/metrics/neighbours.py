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
            needs about 300 MB.
        k: the neighbour, not counting the point itself.

    Raises:
        ValueError: see inputs.check_features; or k is below 1.

    Source: Kynkaanniemi et al. (2019) for precision and recall, Naeem et al. (2020) for density and coverage.
    """
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1.")
    real, fake = check_features(real, fake, at_least=k + 1)
    real_radii, fake_radii = _radii(real, k), _radii(fake, k)
    in_real_balls = torch.zeros(len(fake), dtype=torch.long, device=real.device)
    recalled, covered = [], []
    for rows, radii in zip(real.split(BLOCK), real_radii.split(BLOCK), strict=True):
        distances = torch.cdist(rows, fake)
        in_real_balls += (distances < radii[:, None]).sum(0)
        recalled.append((distances < fake_radii).any(1))
        covered.append(distances.amin(1) < radii)
    return PRDC(
        precision=(in_real_balls > 0).double().mean().item(),
        recall=torch.cat(recalled).double().mean().item(),
        density=in_real_balls.double().mean().item() / k,
        coverage=torch.cat(covered).double().mean().item(),
    )


def _radii(points: Tensor, k: int) -> Tensor:
    """The distance of each point to its k-th nearest neighbour, (N,). The nearest of all is the point itself."""
    blocks = [torch.cdist(rows, points).kthvalue(k + 1, dim=1).values for rows in points.split(BLOCK)]
    return torch.cat(blocks)
