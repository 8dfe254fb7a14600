"""The contextual loss: compares two images by their features, wherever in the image these are."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-5


def contextual_similarity(output: Tensor, target: Tensor, bandwidth: float = 0.5) -> Tensor:
    """How much two images have features in common, (N,), each in (0, 1]; places do not matter.

    Every position of a feature map is one point, x_i of the output and y_j of the target. Distances are cosine
    distances, seen from the mean of the target's points: d_ij = 1 - cos(x_i - mean(y), y_j - mean(y)). What counts is
    how near y_j is to x_i *compared with the nearest*: d_ij / (min_k d_ik + epsilon), which a softmax over j turns into
    shares: x_i spends a whole on the points that it is like. Then each y_j asks for the largest share that any x_i has
    for it, and the similarity is the mean of these over j. It is near 1 when every point of the target is the clear
    favourite of some point of the output.

    Args:
        output, target: features of a fixed network, (N, C, h, w) and (N, C, h', w'); at least 2 positions each.
        bandwidth: h of the paper, 0.5 in the authors' config.py; the smaller, the more a share is all or nothing.

    Raises:
        ValueError: other shapes, or a bandwidth that is not positive.

    The gradient flows into both arguments; detach a target that is not to move. Points at the mean itself have no
    direction; they count as at a right angle to all others, with a gradient of 0. Memory is N * h w * h' w' numbers.

    Source: Mechrez, Talmi, Zelnik-Manor (2018), equations 1 to 4, epsilon 1e-5. The authors' code takes half of d,
    which matters only beside epsilon, and one mean of all targets of a batch; here each target has its own, as in the
    paper.
    """
    _check(output, target, bandwidth)
    x, y = output.flatten(2), target.flatten(2)  # (N, C, I) and (N, C, J)
    mean = y.mean(2, keepdim=True)
    cosines = torch.einsum("nci,ncj->nij", _directions(x, mean), _directions(y, mean))  # (N, I, J)
    distances = (1 - cosines).clamp_min(0)  # rounding may bring two equal directions a little below
    relative = distances / (distances.amin(2, keepdim=True) + EPSILON)
    shares = ((1 - relative) / bandwidth).softmax(2)  # of each x_i; equations 3 and 4 in one
    return shares.amax(1).mean(1)


def contextual_loss(output: Tensor, target: Tensor, bandwidth: float = 0.5) -> Tensor:
    """The mean over the batch of -log(contextual similarity): 0 at best. Arguments as of `contextual_similarity`.

    Two different images of one style, with the same features in other places, have a small loss, where a pixel loss is
    large. So it can be used where there are no aligned pairs: with the input as target for the content, or with any
    image of the other side for the style.

    Source: Mechrez, Talmi, Zelnik-Manor (2018), section 3, as in the authors' code.
    """
    return -contextual_similarity(output, target, bandwidth).log().mean()


def _directions(points: Tensor, mean: Tensor) -> Tensor:
    """The direction from the mean (N, C, 1) to each point (N, C, I), of length 1.

    A point at the mean, but for rounding, has none: it stays 0, and so does its gradient.
    """
    away = points - mean
    squared = away.square().sum(1, keepdim=True)
    numbers = torch.finfo(points.dtype)
    rounding = (8 * numbers.eps) ** 2 * mean.square().sum(1, keepdim=True)
    has_direction = squared.detach() > rounding.detach().clamp_min(numbers.tiny)
    return torch.where(has_direction, away, 0.0) * torch.where(has_direction, squared, 1.0).rsqrt()


def _check(output: Tensor, target: Tensor, bandwidth: float) -> None:
    if output.ndim != 4 or target.ndim != 4 or output.shape[:2] != target.shape[:2]:
        raise ValueError(
            "Features must have the shapes (N, C, h, w) and (N, C, h', w'), "
            f"but have {tuple(output.shape)} and {tuple(target.shape)}."
        )
    if min(output[0, 0].numel(), target[0, 0].numel()) < 2:
        raise ValueError("With one position there is no context: take features of a layer before they are pooled away.")
    if bandwidth <= 0:
        raise ValueError(f"The bandwidth must be positive, but it is {bandwidth}.")
