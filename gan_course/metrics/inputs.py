"""What every metric asks of its input, said in plain words."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_course.data.images import to_uint8


def check_features(
    real: Tensor, fake: Tensor, at_least: int = 2, names: tuple[str, str] = ("real", "fake")
) -> tuple[Tensor, Tensor]:
    """Both sets as float64, on the CPU if they come from mps (which has no float64).

    Args:
        names: what messages call the two sets.

    Raises:
        ValueError: a set is not (N, D), has fewer than `at_least` rows, holds NaN or infinity, or the D differ.
    """
    real, fake = (check_one(name, features, at_least) for name, features in zip(names, (real, fake), strict=True))
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"{names[0].capitalize()} features have {real.shape[1]} dimensions but {names[1]} ones {fake.shape[1]}."
        )
    return real, fake.to(real.device)


def check_one(name: str, features: Tensor, at_least: int = 2) -> Tensor:
    """One set as float64; see check_features."""
    features = torch.as_tensor(features)
    if features.ndim != 2:
        raise ValueError(f"The {name} features must have shape (N, D), but have {tuple(features.shape)}.")
    if len(features) < at_least:
        raise ValueError(f"The {name} features have {len(features)} rows; at least {at_least} are needed.")
    features = (features.cpu() if features.device.type == "mps" else features).detach().double()
    if not features.sum().isfinite() and not features.isfinite().all():  # a sum is quicker, and no value hides in it
        row = int((~features.isfinite().all(1)).nonzero()[0])
        raise ValueError(f"The {name} features hold NaN or infinity, first in row {row}.")
    return features


def check_range(images: Tensor) -> None:
    """Raise a ValueError for float images that are not in [-1, 1], but for rounding; NaN is nowhere."""
    if images.is_floating_point() and not ((images >= -1.01) & (images <= 1.01)).all():
        raise ValueError(
            f"Float images must lie in [-1, 1], but these reach from {images.amin():.2f} to {images.amax():.2f}. "
            "Where that is NaN, the model that drew them has diverged."
        )


def eight_bit(images: Tensor) -> Tensor:
    """Images (N, C, H, W), uint8 or float in [-1, 1], as uint8.

    Raises:
        ValueError: NaN, or values outside [-1, 1], which rounding would hide.
    """
    check_range(images)
    return to_uint8(images) if images.is_floating_point() else images
