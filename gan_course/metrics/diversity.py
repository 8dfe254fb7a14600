"""How different samples are from one another, whatever the real ones look like."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_course.metrics.distances import squared_distances
from gan_course.metrics.inputs import check_one, eight_bit

BLOCK = 1024
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, the finest first


def mean_pairwise_distance(features: Tensor) -> float:
    """The mean Euclidean distance of all pairs of different rows; 0 when all are the same.

    Args:
        features: (N, D), at least two rows. A block at a time.

    Raises:
        ValueError: see inputs.check_features.
    """
    features = check_one("sample", features)
    features = features - features.mean(0)
    rounding = 64 * torch.finfo(features.dtype).eps * features.square().sum(1)
    total = 0.0
    for start in range(0, len(features), BLOCK):
        squares = squared_distances(features[start : start + BLOCK], features[start:])
        squares = squares.where(squares > rounding[start:], 0.0)
        total += float(squares.sqrt_().triu(1).sum())
    return 2 * total / (len(features) * (len(features) - 1))


def ms_ssim(images: Tensor, pairs: int = 1000, seed: int = 0) -> float:
    """The mean multi-scale structural similarity of random pairs: 1 when all images are one, lower when they differ.

    Args:
        images: (N, C, H, W), uint8 or float in [-1, 1], at least 2; H and W at least 16. Floats are rounded to 8 bits.
        pairs: drawn with replacement, each of two different images.
        seed: of the pairs.

    Raises:
        ValueError: fewer than two images, smaller ones, NaN or values outside [-1, 1].

    Source: Wang, Simoncelli and Bovik (2003); for GANs Odena, Olah and Shlens (2017), at 128 x 128 and inside each
    class. The paper's five scales need 176 pixels a side; smaller images get the finest scales that fit (two at 28 and
    32 pixels), their weights scaled to sum to 1. torchmetrics computes it.
    """
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    if images.ndim != 4 or len(images) < 2 or min(images.shape[2:]) < 16:
        raise ValueError(
            f"At least two images (N, C, H, W) of 16 x 16 pixels or more are needed, not {tuple(images.shape)}."
        )
    images = eight_bit(images)
    rng = torch.Generator().manual_seed(seed)
    first = torch.randint(len(images), (pairs,), generator=rng)
    second = (first + torch.randint(1, len(images), (pairs,), generator=rng)) % len(images)
    scales = max(count for count in range(1, 6) if min(images.shape[2:]) // max(1, count - 1) ** 2 > 10)
    weights = tuple(weight / sum(WEIGHTS[:scales]) for weight in WEIGHTS[:scales])
    total = 0.0
    for rows in zip(first.split(250), second.split(250), strict=True):
        a, b = (images[part.to(images.device)].float() for part in rows)
        similarity = multiscale_structural_similarity_index_measure(
            a, b, data_range=255.0, betas=weights, normalize="relu", reduction="sum"
        )
        total += float(similarity)
    return total / pairs
