"""Are samples copies of the training set? Their nearest training neighbours, against those of held-out images."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gan_course.metrics.distances import squared_distances
from gan_course.metrics.inputs import check_features

BLOCK = 1024


class Nearest(NamedTuple):
    """distance: of each sample to its nearest training sample, float64 (N,); row: which that is, int64 (N,)."""

    distance: Tensor
    row: Tensor


class Memorisation(NamedTuple):
    """z: about standard normal if samples lie as far from the training set as held-out images do; far below 0 where
    they lie closer (copies), far above where they lie further off. p_value: the chance of a z as low as this or lower
    without any copying. closer: share of pairs of a sample and a held-out image in which the sample is the closer one
    (ties count half); 0.5 if nothing is copied. fake_distance, held_out_distance: medians.
    """

    z: float
    p_value: float
    closer: float
    fake_distance: float
    held_out_distance: float


def nearest_training(samples: Tensor, training: Tensor) -> Nearest:
    """The nearest training sample of each sample, by Euclidean distance in the features given; a block at a time.

    The distance of the pair that was found is taken from the difference itself, so that a copy has exactly 0.

    Args:
        samples, training: (N, D) and (M, D).

    Raises:
        ValueError: see inputs.check_features.
    """
    training, samples = check_features(training, samples, at_least=1, names=("training", "sample"))
    middle = training.mean(0)
    centred = training - middle
    rows = torch.cat([squared_distances(part - middle, centred).argmin(1) for part in samples.split(BLOCK)])
    parts = zip(samples.split(BLOCK), rows.split(BLOCK), strict=True)
    return Nearest(torch.cat([(part - training[row]).norm(dim=1) for part, row in parts]), rows)


def memorisation(fake: Tensor, training: Tensor, held_out: Tensor) -> Memorisation:
    """Whether fakes lie closer to the training set than images of the same kind that were held out of the training.

    A test of Mann and Whitney on the distances to the nearest training sample. It sees copying on the whole; where a
    generator copies some images and draws others badly, the two can cancel out.

    Args:
        fake, training, held_out: (N, D), (M, D) and (K, D); the fakes' training set itself.

    Raises:
        ValueError: see inputs.check_features.

    Source: Meehan, Chaudhuri and Dasgupta (2020), whose test does this in each cell of a partition and averages; here
    in a single cell. Mann and Whitney (1947), with the variance for ties.
    """
    training, held_out = check_features(training, held_out, at_least=1, names=("training", "held-out"))
    return compare_nearest(*(nearest_training(part, training).distance for part in (fake, held_out)))


def compare_nearest(near_fake: Tensor, near_held: Tensor) -> Memorisation:
    """The test itself, from distances (N,) and (K,) to the nearest training sample, of fakes and of held-out images."""
    n, m = len(near_fake), len(near_held)
    _, group, counts = torch.cat([near_fake, near_held]).unique(return_inverse=True, return_counts=True)
    counts = counts.double()
    ranks = (counts.cumsum(0) - (counts - 1) / 2)[group]  # of equal values, their mean
    wins = ranks[:n].sum() - n * (n + 1) / 2  # pairs in which the fake is the further one
    total = n + m
    ties = (counts**3 - counts).sum() / (total * (total - 1))
    deviation = (n * m / 12 * (total + 1 - ties)).clamp_min(0).sqrt()
    z = float((wins - n * m / 2) / deviation) if deviation > 0 else 0.0
    return Memorisation(
        z=z,
        p_value=float(torch.special.ndtr(torch.tensor(z, dtype=torch.float64))),
        closer=1 - float(wins) / (n * m),
        fake_distance=float(near_fake.quantile(0.5)),
        held_out_distance=float(near_held.quantile(0.5)),
    )
