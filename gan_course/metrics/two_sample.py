"""The classifier two-sample test: can a classifier tell real from generated samples that it has not seen?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_course.metrics.distances import squared_distances
from gan_course.metrics.inputs import check_features

BLOCK = 1024
LEAST = 4  # samples of each set
RIDGE = 1e-3


class TwoSample(NamedTuple):
    """accuracy: on the held-out half; 0.5 is chance, 1 if the sets are told apart. p_value: the chance of that accuracy
    or a higher one if both sets have one distribution. held_out: how many samples it is of.
    """

    accuracy: float
    p_value: float
    held_out: int


def classifier_two_sample(real: Tensor, fake: Tensor, classifier: str = "logistic", seed: int = 0) -> TwoSample:
    """Train a classifier on half of the samples, real against fake, and count how often it is right on the others.

    Under the null hypothesis the accuracy is about normal with mean 1/2 and variance 1/(4 n), n being held out. An
    accuracy far *below* 1/2 of the nearest neighbour means copies: the nearest neighbour of a copy is its original.

    Args:
        real, fake: (N, D) and (M, D), at least 4 rows each. Of the larger set as many are drawn as the other has.
        classifier: "logistic" (linear, on standardised features) or "neighbour" (the nearest neighbour).
        seed: of the split.

    Raises:
        ValueError: see inputs.check_features; or there is no such classifier.

    Source: Lopez-Paz and Oquab (2017), section 3.
    """
    if classifier not in CLASSIFIERS:
        raise ValueError(f"There is no classifier {classifier!r}; use {' or '.join(map(repr, CLASSIFIERS))}.")
    real, fake = check_features(real, fake, at_least=LEAST)
    rng = torch.Generator().manual_seed(seed)
    count = min(len(real), len(fake))
    chosen = [x[torch.randperm(len(x), generator=rng)[:count].to(x.device)] for x in (real, fake)]
    half = count // 2
    known, asked = torch.cat([x[:half] for x in chosen]), torch.cat([x[half:] for x in chosen])
    is_fake = torch.arange(2, dtype=torch.float64, device=real.device)
    answers = CLASSIFIERS[classifier](known, is_fake.repeat_interleave(half), asked)
    accuracy = float((answers == is_fake.repeat_interleave(count - half)).double().mean())
    z = (accuracy - 0.5) * 2 * len(asked) ** 0.5
    return TwoSample(accuracy, float(torch.special.ndtr(torch.tensor(-z, dtype=torch.float64))), len(asked))


def _by_neighbour(known: Tensor, labels: Tensor, asked: Tensor) -> Tensor:
    """The label of the nearest known point, (M,)."""
    middle = known.mean(0)
    near = [squared_distances(part - middle, known - middle).argmin(1) for part in asked.split(BLOCK)]
    return labels[torch.cat(near)]


def _by_logistic_regression(known: Tensor, labels: Tensor, asked: Tensor) -> Tensor:
    """The more probable label of each, (M,)."""
    mean, std = known.mean(0), known.std(0)
    std = std.where(std > 1e-12 * (1 + mean.abs()), 1.0)
    weights = logistic_regression((known - mean) / std, labels)
    logits = (asked - mean) / std @ weights[:-1] + weights[-1]
    return (logits > 0).double()


def logistic_regression(x: Tensor, labels: Tensor, ridge: float = RIDGE, most: int = 50) -> Tensor:
    """Weights and, last, the intercept, float64 (D + 1,), that minimise the mean cross-entropy + ridge / 2 ||w||^2.

    By Newton's method, halving a step that does not improve. The intercept has no penalty.

    Args:
        x, labels: float64 (N, D), and (N,) of 0 and 1.
    """
    x = torch.cat([x, x.new_ones(len(x), 1)], 1)
    penalty = torch.full_like(x[0], ridge)
    penalty[-1] = 0
    signs = 2 * labels - 1

    def loss(weights: Tensor) -> Tensor:
        return nn.functional.softplus(-signs * (x @ weights)).mean() + (penalty * weights.square()).sum() / 2

    weights, value = torch.zeros_like(penalty), loss(torch.zeros_like(penalty))
    for _ in range(most):
        share = torch.sigmoid(x @ weights)
        slope = x.T @ (share - labels) / len(x) + penalty * weights
        if slope.abs().max() < 1e-10:
            break
        curvature = (x * (share * (1 - share) / len(x))[:, None]).T @ x + torch.diag(penalty + 1e-12)
        step = torch.linalg.solve(curvature, slope)
        while (new := loss(weights - step)) > value and step.abs().max() > 1e-12:
            step = step / 2
        weights, value = weights - step, new
    return weights


CLASSIFIERS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "logistic": _by_logistic_regression,
    "neighbour": _by_neighbour,
}
