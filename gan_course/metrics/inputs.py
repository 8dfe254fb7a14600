"""What every metric asks of its input, said in plain words."""

from __future__ import annotations

import torch
from torch import Tensor


def check_features(real: Tensor, fake: Tensor, at_least: int = 2) -> tuple[Tensor, Tensor]:
    """Both sets as float64, on the CPU if they come from mps (which has no float64).

    Raises:
        ValueError: a set is not (N, D), has fewer than `at_least` rows, holds NaN or infinity, or the D differ.
    """
    real, fake = _double("real", real, at_least), _double("fake", fake, at_least)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"Real features have {real.shape[1]} dimensions but fake ones {fake.shape[1]}.")
    return real, fake.to(real.device)


def _double(name: str, features: Tensor, at_least: int) -> Tensor:
    features = torch.as_tensor(features)
    if features.ndim != 2:
        raise ValueError(f"The {name} features must have shape (N, D), but have {tuple(features.shape)}.")
    if len(features) < at_least:
        raise ValueError(f"The {name} features have {len(features)} rows; at least {at_least} are needed.")
    features = (features.cpu() if features.device.type == "mps" else features).detach().double()
    if not features.isfinite().all():
        row = int((~features.isfinite().all(1)).nonzero()[0])
        raise ValueError(f"The {name} features hold NaN or infinity, first in row {row}.")
    return features
