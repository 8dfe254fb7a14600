"""How much variety there is inside a class: recall and distances, class by class."""

from __future__ import annotations

from statistics import mean
from typing import NamedTuple

import torch
from torch import Tensor

from gan_course.metrics.inputs import check_features
from gan_course.metrics.neighbours import prdc


class IntraClass(NamedTuple):
    """Means over the classes. recall: of a class by itself. distance: between two fakes of a class. real_distance:
    between two real samples of a class. classes: how many went into the means.
    """

    recall: float
    distance: float
    real_distance: float
    classes: int


def intra_class(real: Tensor, real_labels: Tensor, fake: Tensor, fake_labels: Tensor, k: int = 5) -> IntraClass:
    """Whether the samples of each class are as different from one another as the real ones of that class.

    Recall over all classes hides it when a generator draws one perfect sample a class from among many. So each class is
    judged by itself, and the classes count alike. Distances are Euclidean, of all pairs, in the features given.

    Args:
        real, fake: features (N, D) and (M, D). Recall grows with the number of fakes: to compare two generators, draw
            equally many of each class.
        real_labels, fake_labels: int64 (N,) and (M,): the true class, and the class asked for.
        k: the neighbour that recall goes by; a class with k real samples or fewer is left out.

    Raises:
        ValueError: see inputs.check_features; no class has enough real samples; or one has, but k fakes or fewer.
    """
    real, fake = check_features(real, fake, at_least=k + 1)
    rows = []
    for label in real_labels.unique().tolist():
        of_real = real[(real_labels == label).to(real.device)]
        of_fake = fake[(fake_labels == label).to(fake.device)]
        if len(of_real) <= k:
            continue
        if len(of_fake) <= k:
            raise ValueError(f"Class {label} has {len(of_fake)} fakes; at least {k + 1} are needed.")
        distances = [torch.nn.functional.pdist(features).mean().item() for features in (of_fake, of_real)]
        rows.append((prdc(of_real, of_fake, k).recall, *distances))
    if not rows:
        raise ValueError(f"No class has more than {k} real samples, which recall needs.")
    return IntraClass(*(mean(column) for column in zip(*rows, strict=True)), classes=len(rows))
