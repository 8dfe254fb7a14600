"""What every metric asks of its input, said in plain words."""

from __future__ import annotations

import torch
from torch import Tensor


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
    check_same_width(*zip(names, (real, fake), strict=True))
    return real, fake.to(real.device)


def check_same_width(first: tuple[str, Tensor], second: tuple[str, Tensor]) -> None:
    """Raise a ValueError unless two sets, a name and features (N, D) each, have the same D."""
    (name, one), (other, two) = first, second
    if one.shape[1:] != two.shape[1:]:
        raise ValueError(
            f"{name.capitalize()} features have {one.shape[1]} dimensions but {other} ones {two.shape[1]}."
        )


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
