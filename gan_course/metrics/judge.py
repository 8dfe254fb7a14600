"""A generator judged in one pass: a batch is drawn, rounded, turned into features, and let go."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from gan_course.metrics.compare import compare_features
from gan_course.metrics.features import FeatureExtractor
from gan_course.metrics.inputs import eight_bit
from gan_course.training.sampling import sample_batches

KEPT = 64


def judge(
    generator: nn.Module,
    real_features: Tensor,
    extractor: FeatureExtractor,
    n: int = 10_000,
    seed: int = 0,
    labels: Tensor | int | None = None,
    title: str | None = None,
) -> tuple[dict[str, float | str | int], Tensor]:
    """The numbers of `compare` for n samples, without ever holding more than a batch of images.

    Args:
        generator: codes to images in [-1, 1]; see training.sample.
        real_features: (N, D), from the same extractor; see `features_of`.
        seed, labels: of the samples, the same as training.sample draws for them.
        title: of a progress bar; None shows none.

    Returns:
        The numbers, and the first 64 samples as uint8 (64, C, H, W).

    Raises:
        ValueError: the samples hold NaN or values outside [-1, 1]; or see training.sample and inputs.check_features.
    """
    features, kept, count = [], [], 0
    for images in _with_bar(sample_batches(generator, n, seed, labels=labels), n, title):
        images = eight_bit(images)
        features.append(extractor(images))
        kept += [images[: max(0, KEPT - count)]]
        count += len(images)
    return compare_features(real_features, torch.cat(features), extractor.name), torch.cat(kept)


def features_of(images: Tensor, extractor: FeatureExtractor, title: str | None = None) -> Tensor:
    """Features (N, D) of images (N, C, H, W), with a progress bar if it has a title."""
    return torch.cat([extractor(part) for part in _with_bar(images.split(500), len(images), title)])


def _with_bar(batches: Iterable[Tensor], total: int, title: str | None) -> Iterable[Tensor]:
    """The batches, and a bar that counts their images, where somebody watches; it is wiped when they are done."""
    from tqdm import tqdm

    hidden = None if title else True  # None: no bar where the output goes into a file
    with tqdm(total=total, desc=title, disable=hidden, unit="img", leave=False) as bar:
        for batch in batches:
            yield batch
            bar.update(len(batch))
