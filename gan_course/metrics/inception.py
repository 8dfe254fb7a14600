"""The Inception Score: sure of each image's class, and all classes drawn."""

from __future__ import annotations

import torch
from torch import Tensor


def inception_score(probs: Tensor) -> float:
    """exp of the mean of KL(p(y|x) || p(y)) over all samples, with p(y) their mean; in one split.

    Args:
        probs: (N, K), the class probabilities of each sample; rows sum to 1.

    Returns:
        From 1 (all samples get the same probabilities) to K (each is sure of one class, and all are equally frequent).
        Of another classifier than Inception it is an "inception score" of that classifier's classes only.

    Raises:
        ValueError: not (N, K) with N at least 1, NaN, a probability below 0, or a row that does not sum to 1.

    Source: Salimans et al. (2016), section 4; the mean over ten splits of the usual code is left out, as it makes the
    score depend on the number of samples in a split.
    """
    probs = torch.as_tensor(probs)
    if probs.ndim != 2 or len(probs) == 0:
        raise ValueError(f"Probabilities must have shape (N, K) with N > 0, but have {tuple(probs.shape)}.")
    probs = (probs.cpu() if probs.device.type == "mps" else probs).detach().double()
    wrong = ~((probs >= 0).all(1) & ((probs.sum(1) - 1).abs() < 1e-3))
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise ValueError(
            f"Row {row} holds no probabilities: they must lie in [0, 1] and sum to 1, but sum to "
            f"{float(probs[row].sum()):.3g}. Pass logits through a softmax first."
        )
    probs = probs / probs.sum(1, keepdim=True)
    within = torch.special.xlogy(probs, probs).sum(1).mean()
    mean = probs.mean(0)
    return float((within - torch.special.xlogy(mean, mean).sum()).exp())
