"""How close translations are to the true answers, pair by pair: PSNR, SSIM, L1, pixels, features; and sharpness."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gan_course.metrics.features import FeatureExtractor
from gan_course.metrics.inputs import eight_bit

TOLERANCE = 16
HIGHEST_PSNR = 60.0
PAIRS = 250  # that are held in float64 at a time
NO_DETAIL = 1e-12


class PairScores(NamedTuple):
    """One number a pair, float64 (N,) each. Higher is better for psnr, ssim and pixel_accuracy, lower for the others.

    psnr: peak signal-to-noise ratio in dB, 60 at most, so that one perfect pair does not make a mean infinite.
    ssim: structural similarity, 1 for the same image. l1: mean absolute difference on the scale of [-1, 1].
    pixel_accuracy: the share of pixels that match the target in every colour to within 16 of 255.
    feature_distance: Euclidean distance of the two images' features.
    """

    psnr: Tensor
    ssim: Tensor
    l1: Tensor
    pixel_accuracy: Tensor
    feature_distance: Tensor


def pair_scores(outputs: Tensor, targets: Tensor, extractor: FeatureExtractor) -> PairScores:
    """Each output against the target it should be.

    Args:
        outputs, targets: (N, C, H, W), uint8 or float in [-1, 1]. Floats are rounded to 8 bits, as images are kept.
        extractor: of the features.

    Raises:
        ValueError: the shapes differ, or floats hold NaN or values outside [-1, 1].

    Source: SSIM by Wang et al. (2004), with their window of 11 pixels and standard deviation 1.5, the mean over colours
    and all pixels, mirrored at the borders; it and PSNR are torchmetrics'. The tolerance is after Liu, Breuel, Kautz
    (2017), on maps; that every colour must keep to it is the course's rule.
    """
    outputs, targets = eight_bit(outputs).cpu(), eight_bit(targets).cpu()
    if outputs.shape != targets.shape:
        raise ValueError(f"Pairs have one shape, but got {tuple(outputs.shape)} and {tuple(targets.shape)}.")
    parts = zip(outputs.split(PAIRS), targets.split(PAIRS), strict=True)
    scores = [_scores(*part, extractor) for part in parts]
    return PairScores(*(torch.cat(column) for column in zip(*scores, strict=True)))


def _scores(outputs: Tensor, targets: Tensor, extractor: FeatureExtractor) -> PairScores:
    """Of uint8 images on the CPU, all at once."""
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

    a, b = outputs.float(), targets.float()
    each_image = {"data_range": 255.0, "reduction": "none"}
    # The map and not its mean: whether the mean leaves the borders out differs between versions of torchmetrics.
    ssim_map = structural_similarity_index_measure(a, b, return_full_image=True, **each_image)[1]  # (N, C, H, W)
    a, b = a.double(), b.double()
    difference = (a - b).abs()
    return PairScores(
        psnr=peak_signal_noise_ratio(a, b, dim=(1, 2, 3), **each_image).clamp_max(HIGHEST_PSNR),
        ssim=ssim_map.double().mean((1, 2, 3)),
        l1=difference.mean((1, 2, 3)) / 127.5,
        pixel_accuracy=(difference.amax(1) <= TOLERANCE).double().mean((1, 2)),
        feature_distance=(extractor(outputs).double() - extractor(targets).double()).norm(dim=1),
    )


def fine_detail(images: Tensor) -> Tensor:
    """The power of each image above a quarter of a cycle a pixel, float64 (N,): what blur takes away.

    The mean square of what is left of the image, in grey on the scale of [-1, 1], when all waves that are longer than
    four pixels, across and down, are taken out.

    Args:
        images: (N, C, H, W), uint8 or float in [-1, 1].

    Raises:
        ValueError: floats with NaN or values outside [-1, 1].
    """
    grey = eight_bit(images).cpu().double().mean(1) / 127.5 - 1  # (N, H, W)
    height, width = grey.shape[1:]
    down, across = torch.fft.fftfreq(height).abs()[:, None], torch.fft.fftfreq(width).abs()[None]
    power = torch.fft.fft2(grey, norm="forward").abs().square()  # sums to the mean square, by Parseval
    return (power * (torch.maximum(down, across) > 0.25)).sum((1, 2))


def sharpness(outputs: Tensor, targets: Tensor) -> float:
    """How much fine detail the outputs have for each unit that the targets have: 1 as sharp, below 1 blurred.

    Args:
        outputs, targets: (N, C, H, W) and (M, C, H, W), uint8 or float in [-1, 1].

    Raises:
        ValueError: the targets have no fine detail at all; or see `fine_detail`.
    """
    of_targets = fine_detail(targets).mean()
    if of_targets < NO_DETAIL:
        raise ValueError("The targets have no fine detail, so nothing can be as sharp as they are.")
    return (fine_detail(outputs).mean() / of_targets).item()


def compare_pairs(
    outputs: Tensor, targets: Tensor, extractor: FeatureExtractor, scores: PairScores | None = None
) -> dict[str, float | str | int]:
    """The mean of each score over the pairs, the sharpness, and of which features.

    Args:
        outputs, targets, extractor: as of `pair_scores`; and its answer, where it is at hand already.

    Raises:
        ValueError: see `pair_scores` and `sharpness`.
    """
    scores = scores or pair_scores(outputs, targets, extractor)
    means = {name: values.mean().item() for name, values in scores._asdict().items()}
    return {"features": extractor.name, "pairs": len(targets), **means, "sharpness": sharpness(outputs, targets)}


class Interval(NamedTuple):
    """A mean, and where it would lie with other pairs of the same kind."""

    mean: float
    low: float
    high: float


def bootstrap_difference(
    first: Tensor, second: Tensor, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """The mean of first - second over pairs, with its bootstrap interval: is one method better on these images?

    As many pairs are drawn with replacement, again and again, and both methods are judged on the same ones; the
    interval holds the middle `level` of the means. It is about the choice of test pairs, not about another training.

    Args:
        first, second: (N,), one score of two methods on the same N pairs, in the same order.

    Raises:
        ValueError: they are not two rows of one length, or fewer than 2 pairs.

    Source: Efron (1979); the percentile interval of Efron and Tibshirani (1993), chapter 13.
    """
    if first.ndim != 1 or first.shape != second.shape or len(first) < 2:
        raise ValueError(
            f"Two scores (N,) of the same pairs are compared, N at least 2, but got {tuple(first.shape)} and "
            f"{tuple(second.shape)}."
        )
    difference = (first.double() - second.double()).cpu()
    rng, n = torch.Generator().manual_seed(seed), len(difference)
    draws = [difference[torch.randint(n, (500, n), generator=rng)].mean(1) for _ in range(-(-resamples // 500))]
    edges = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = torch.cat(draws)[:resamples].quantile(edges).tolist()
    return Interval(difference.mean().item(), low, high)
