"""The Frechet distance between two sets of features, each taken for a normal distribution."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_course.metrics.inputs import check_features

ROWS, COLUMNS = 1024, 512  # of a block
TRUSTED = 1e-6  # relative error that the fast way may have; beyond it the exact way is taken


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """||m1 - m2||^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2)), with covariances over N - 1.

    The last trace is the sum of the square roots of the eigenvalues of L^T S2 L, a symmetric matrix, with S1 = L L^T
    from Cholesky's decomposition. Where that is not exact, it is the sum of the singular values of A B^T, with
    S1 = A^T A and S2 = B^T B from QR decompositions of the centred features; no covariance is formed then, and fewer
    samples than dimensions need no special case. A feature that is constant in one set adds nothing to this trace.

    Args:
        real, fake: (N, D) and (M, D), at least two rows each.

    Returns:
        At least 0; 0 for identical sets. Of Inception features this is called FID, of others it is not.

    Raises:
        ValueError: see inputs.check_features.

    Source: Dowson and Landau (1982); for GANs Heusel et al. (2017), equation 6.
    """
    real, fake = check_features(real, fake)
    means = real.mean(0), fake.mean(0)
    shift = _above_rounding((means[0] - means[1]).square().sum(), sum(m.square().sum() for m in means), power=2)
    still = [_constant(features) for features in (real, fake)]
    vary = ~(still[0] | still[1])
    alone = sum(float(column.var()) for x, s in zip((real, fake), still, strict=True) for column in x.T[~vary & ~s])
    if not vary.any():
        return shift + alone
    if not vary.all():
        real, fake, means = real[:, vary], fake[:, vary], [mean[vary] for mean in means]
    if min(len(real), len(fake)) > real.shape[1]:
        s1, s2 = covariance(real, means[0]), covariance(fake, means[1])
        total = s1.trace() + s2.trace()
        trace, error = _trace_by_covariances(s1, s2)
        if error <= TRUSTED * (total - 2 * trace):
            return shift + alone + float(total - 2 * trace)
    a, b = _factor(real, means[0]), _factor(fake, means[1])
    total = a.square().sum() + b.square().sum()
    return shift + alone + _above_rounding(total - 2 * torch.linalg.svdvals(a @ b.T).sum(), total)


def covariance(features: Tensor, mean: Tensor) -> Tensor:
    """The covariance over N - 1, float64 (D, D): half of its blocks are computed, the others mirrored.

    Args:
        features, mean: float64 (N, D) and (D,).
    """
    n, d = features.shape
    result = features.new_zeros(d, d)
    starts = range(0, d, COLUMNS)
    for rows in features.split(ROWS):
        rows = rows - mean
        for start in starts:
            part = slice(start, start + COLUMNS)
            result[part, start:].addmm_(rows[:, part].T, rows[:, start:])
    for start in starts:
        stop = start + COLUMNS
        result[stop:, start:stop] = result[start:stop, stop:].T
    return result.div_(n - 1)


def _constant(features: Tensor) -> Tensor:
    """Which features are the same in all rows, bool (D,). Most are ruled out by a few rows."""
    same = (features[:8] == features[0]).all(0)
    doubtful = same.nonzero()[:, 0]
    if len(doubtful):
        same[doubtful] = (features[:, doubtful] == features[0, doubtful]).all(0)
    return same


def _trace_by_covariances(s1: Tensor, s2: Tensor) -> tuple[float, float]:
    """tr((S1 S2)^(1/2)) and about how far rounding may have moved it; infinitely far where S1 is singular."""
    root, failed = torch.linalg.cholesky_ex(s1)
    if failed:
        return 0.0, float("inf")
    product = root.T @ s2 @ root
    values = torch.linalg.eigvalsh((product + product.T) / 2)
    rounding = values[-1] * torch.finfo(values.dtype).eps  # of each eigenvalue
    error = (rounding / values.clamp_min(rounding).sqrt()).sum()
    return float(values.clamp_min(0).sqrt().sum()), float(error)


def _factor(features: Tensor, mean: Tensor) -> Tensor:
    """A with A^T A = the covariance, (min(N, D), D)."""
    return torch.linalg.qr((features - mean) / (len(features) - 1) ** 0.5, mode="r").R


def _above_rounding(value: Tensor, scale: Tensor, power: int = 1) -> float:
    """The value, or 0 where it cannot be told from a rounding error of numbers of that scale."""
    return float(value) if value > (2048 * torch.finfo(torch.float64).eps) ** power * scale else 0.0
