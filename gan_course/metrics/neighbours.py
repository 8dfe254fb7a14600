"""Precision, recall, density and coverage, from the distances to the k nearest neighbours."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gan_course.metrics.distances import BLOCK, inside, same_frame, squared_distances, squared_radii
from gan_course.metrics.inputs import check_features


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
        real, fake: (N, D) and (M, D), more than k rows each. Distances are made a block at a time, on a CPU in
            float32; what that cannot decide, float64 does, in the end from the differences of the points themselves.
        k: the neighbour, not counting the point itself.

    Raises:
        ValueError: see inputs.check_features; or k is below 1.

    Source: Kynkaanniemi et al. (2019) for precision and recall, Naeem et al. (2020) for density and coverage.
    """
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1.")
    real, fake = check_features(real, fake, at_least=k + 1)
    real, fake = same_frame(real, fake)
    real_radii, fake_radii = squared_radii(real, k), squared_radii(fake, k)
    in_real_balls = torch.zeros(len(fake), dtype=torch.long, device=real_radii.device)
    recalled, covered = [], []
    for start in range(0, len(real), BLOCK):
        rows = slice(start, start + BLOCK)
        distances = squared_distances(real.fast[rows], fake.fast)
        in_balls = inside(real, rows, fake, real_radii[rows], True, distances)
        in_real_balls += in_balls.sum(0)
        covered.append(in_balls.any(1))
        recalled.append(inside(real, rows, fake, fake_radii, False, distances).any(1))
    return PRDC(
        precision=(in_real_balls > 0).double().mean().item(),
        recall=torch.cat(recalled).double().mean().item(),
        density=in_real_balls.double().mean().item() / k,
        coverage=torch.cat(covered).double().mean().item(),
    )
