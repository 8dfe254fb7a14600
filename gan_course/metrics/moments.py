"""The shape of a stroke in numbers: slant, width and thickness of digits, from moments of their ink."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gan_course.data.images import to_float

LITTLE_INK = 1e-6
ROUNDING = 1e-12


class StrokeShape(NamedTuple):
    """Of each image, float64 (N,). slant: how far the ink moves to the right for each pixel upwards, 0 for an upright
    digit and 1 for one at 45 degrees; width: the ink's standard deviation across, in pixels, once the slant is taken
    out; thickness: of the stroke, in pixels.
    """

    slant: Tensor
    width: Tensor
    thickness: Tensor


def stroke_shape(images: Tensor) -> StrokeShape:
    """Slant, width and thickness of light strokes on a dark ground.

    With the ink w = (x + 1) / 2 as weights, and y counted upwards: slant = cov(x, y) / var(y), the slope of the line
    that predicts x from y; width = (var(x) - cov(x, y)^2 / var(y))^(1/2), what that line leaves over. Thickness is
    twice the ink over the length of its outline, which for a long stroke is area over length; the outline is the sum
    of the ink's slopes (total variation). An image without ink has the shape 0, 0, 0.

    Args:
        images: (N, 1, H, W), uint8 or float in [-1, 1].

    Raises:
        ValueError: not grey images.

    Source: moments as in Hu (1962); the outline by the coarea formula.
    """
    if images.ndim != 4 or images.shape[1] != 1:
        raise ValueError(f"Grey images of shape (N, 1, H, W) are needed, not {tuple(images.shape)}.")
    images = images if images.is_floating_point() else to_float(images)
    ink = ((images[:, 0].detach().cpu().double() + 1) / 2).clamp(0, 1)  # (N, H, W)
    height, width = ink.shape[1:]
    total = ink.sum((1, 2)).clamp_min(LITTLE_INK)
    x, y = torch.arange(width, dtype=ink.dtype), -torch.arange(height, dtype=ink.dtype)[:, None]

    def mean(values: Tensor) -> Tensor:
        return (ink * values).sum((1, 2)) / total

    mean_x, mean_y = mean(x), mean(y)
    var_x, var_y = mean(x**2) - mean_x**2, mean(y**2) - mean_y**2
    cov = mean(x * y) - mean_x * mean_y
    slant = cov / var_y.clamp_min(LITTLE_INK)
    left_over = (var_x - cov * slant).clamp_min(0).sqrt()
    thickness = 2 * ink.sum((1, 2)) / _outline(ink).clamp_min(LITTLE_INK)
    return StrokeShape(slant, left_over, thickness)


def _outline(ink: Tensor) -> Tensor:
    """The length of the ink's outline (N,): the integral of the length of its gradient, by central differences."""
    padded = torch.nn.functional.pad(ink, (2, 2, 2, 2))
    across = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
    down = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
    return (across.square() + down.square()).sqrt().sum((1, 2))


def correlation_within(a: Tensor, b: Tensor, groups: Tensor) -> float:
    """Pearson's correlation of a (N,) and b (N,) after each group's means are taken out.

    0 where one of them does not vary, but for rounding; NaN where one holds NaN.

    Digits differ in slant, width and thickness by themselves: a 1 is narrow, whatever its codes. With the means of each
    group gone, what is left is how they vary among samples of one kind.

    Args:
        groups: int64 (N,), for example the categorical code.
    """
    whole = [values.cpu().double() for values in (a, b)]
    a, b = (_centred(values, groups.cpu().long()) for values in whole)
    if any(part.norm() <= ROUNDING * values.norm() for part, values in zip((a, b), whole, strict=True)):
        return 0.0
    return float((a * b).sum() / (a.norm() * b.norm()))


def _centred(values: Tensor, groups: Tensor) -> Tensor:
    count = torch.bincount(groups).clamp_min(1)
    means = torch.zeros(len(count), dtype=values.dtype).index_add(0, groups, values) / count
    return values - means[groups]
