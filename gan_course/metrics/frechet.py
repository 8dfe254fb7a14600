"""The Frechet distance between two sets of features, each taken for a normal distribution."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_course.metrics.inputs import check_features


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """||m1 - m2||^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2)), with covariances over N - 1.

    With S1 = A^T A and S2 = B^T B the last trace is the sum of the singular values of A B^T. A and B come from a QR
    decomposition of the centred features, so no covariance is formed, no square root of a matrix is taken, and
    fewer samples than dimensions or constant features need no special case.

    Args:
        real, fake: (N, D) and (M, D), at least two rows each.

    Returns:
        At least 0; 0 for identical sets. Of Inception features this is called FID, of others it is not.

    Raises:
        ValueError: see inputs.check_features.

    Source: Dowson and Landau (1982); for GANs Heusel et al. (2017), equation 6.
    """
    real, fake = check_features(real, fake)
    difference = real.mean(0) - fake.mean(0)
    a, b = _factor(real), _factor(fake)
    cross = torch.linalg.svdvals(a @ b.T).sum()
    distance = difference.square().sum() + a.square().sum() + b.square().sum() - 2 * cross
    return max(float(distance), 0.0)


def _factor(features: Tensor) -> Tensor:
    """A with A^T A = the covariance, (min(N, D), D)."""
    centred = (features - features.mean(0)) / (len(features) - 1) ** 0.5
    return torch.linalg.qr(centred, mode="r").R
