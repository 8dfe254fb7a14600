"""The precision-recall curve of two distributions, from how often they visit the same clusters."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gan_course.metrics.distances import squared_distances
from gan_course.metrics.inputs import check_features

BLOCK = 4096


class PRCurve(NamedTuple):
    """precision, recall: float64 (angles,) each, from all recall to all precision. f8, f1_8: the largest F_8 and
    F_1/8 on the curve; F_8 weighs recall far more than precision, F_1/8 the other way round.
    """

    precision: Tensor
    recall: Tensor
    f8: float
    f1_8: float


def precision_recall_curve(
    real: Tensor, fake: Tensor, clusters: int = 20, runs: int = 10, angles: int = 1001, seed: int = 0
) -> PRCurve:
    """Both sets together are clustered; the shares p and q of real and fake samples in each cluster give the curve.

    precision(l) = sum of min(l p, q) and recall(l) = precision(l) / l, for l = tan of equally spaced angles between 0
    and 90 degrees; the mean over several clusterings.

    Args:
        real, fake: (N, D) each. Were one set the larger, it would draw the clusters to itself, so both must be as many.
        clusters: k of k-means.
        runs: clusterings, each from another start.
        seed: of the starts.

    Raises:
        ValueError: see inputs.check_features; not as many real samples as fake ones; or fewer of both than clusters.

    Source: Sajjadi et al. (2018), section 3.3 (Theorem 2) and section 4 (20 clusters, F_8 and F_1/8). 10 runs and 1,001
    angles are the defaults of the authors' code, which takes mini-batch k-means.
    """
    real, fake = check_features(real, fake)
    if len(real) != len(fake):
        raise ValueError(f"As many real as fake samples are needed, not {len(real)} and {len(fake)}.")
    if not 1 <= clusters <= 2 * len(real) or runs < 1:
        raise ValueError(f"{clusters} clusters in {runs} runs cannot be made of {2 * len(real)} samples.")
    both, curves = torch.cat([real, fake]), []
    for run in range(runs):
        labels = k_means(both, clusters, seed + run)
        p, q = (torch.bincount(part, minlength=clusters).double() / len(real) for part in labels.split(len(real)))
        curves.append(torch.stack(curve_of_shares(p, q, angles)))
    precision, recall = torch.stack(curves).mean(0)
    return PRCurve(precision, recall, _best_f(precision, recall, 8), _best_f(precision, recall, 1 / 8))


def curve_of_shares(p: Tensor, q: Tensor, angles: int = 1001) -> tuple[Tensor, Tensor]:
    """Precision and recall, float64 (angles,) each, of two discrete distributions over the same states.

    Args:
        p, q: (K,) of the real and of the generated distribution; each sums to 1.
    """
    edge = 1e-10
    slopes = torch.linspace(edge, math.pi / 2 - edge, angles, dtype=torch.float64).tan().to(p.device)
    precision = torch.minimum(slopes[:, None] * p.double(), q.double()).sum(1)
    return precision.clamp_max(1), (precision / slopes).clamp_max(1)


def k_means(points: Tensor, clusters: int, seed: int = 0, most: int = 100) -> Tensor:
    """The cluster of each point, int64 (N,), by Lloyd's iteration from a k-means++ start; the same for the same seed.

    Args:
        points: float64 (N, D), N at least `clusters`.
        most: iterations, if the clusters do not settle earlier. A cluster that loses all its points stays empty.

    Source: Lloyd (1982); Arthur and Vassilvitskii (2007) for the start.
    """
    rng = torch.Generator().manual_seed(seed)
    points = points - points.mean(0)
    centers = points[torch.randint(len(points), (1,), generator=rng).to(points.device)]
    nearest = squared_distances(points, centers)[:, 0]
    for _ in range(clusters - 1):
        upto = nearest.cumsum(0)
        drawn = torch.rand((), generator=rng, dtype=torch.float64).to(points.device) * upto[-1]
        new = points[torch.searchsorted(upto, drawn).clamp_max(len(points) - 1)][None]
        centers = torch.cat([centers, new])
        nearest = torch.minimum(nearest, squared_distances(points, new)[:, 0])
    labels = None
    for _ in range(most):
        before, labels = labels, _nearest(points, centers)
        if before is not None and torch.equal(before, labels):
            break
        counts = torch.bincount(labels, minlength=clusters).double()[:, None]
        sums = torch.zeros_like(centers).index_add_(0, labels, points)
        centers = torch.where(counts > 0, sums / counts.clamp_min(1), centers)
    return labels


def _nearest(points: Tensor, centers: Tensor) -> Tensor:
    return torch.cat([squared_distances(part, centers).argmin(1) for part in points.split(BLOCK)])


def _best_f(precision: Tensor, recall: Tensor, beta: float) -> float:
    """The largest F_beta on the curve; 0 where precision and recall are."""
    both = (beta**2 * precision + recall).clamp_min(1e-300)
    return float(((1 + beta**2) * precision * recall / both).max())
