"""Distributions of a few dimensions on which the modes can be counted and the densities drawn.

Each function returns a float32 tensor (n, 2) that carries one more attribute, `.centers`: the middle of each mode,
(modes, 2), or None where there are no modes. (A tensor made from it, such as a slice, does not carry it.) Only `normal`
differs: one normal distribution of any dimension, without centers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


def ring_centers(modes: int = 8, radius: float = 1.0) -> Tensor:
    """(modes, 2) points evenly on a circle. `linspace(0, 2*pi, modes)` would put the first and last on one spot."""
    angles = torch.arange(modes) * (2 * math.pi / modes)
    return radius * torch.stack([angles.cos(), angles.sin()], dim=1)


def grid_centers(side: int = 5, spacing: float = 2.0) -> Tensor:
    """(side * side, 2) points of a square grid around the origin."""
    line = (torch.arange(side) - (side - 1) / 2) * spacing
    return torch.cartesian_prod(line, line).reshape(-1, 2)


def ring(n: int, modes: int = 8, radius: float = 1.0, std: float = 0.01, generator=None, device="cpu") -> Tensor:
    """`n` samples of equally likely normals on a circle (PacGAN's protocol: radius 1, std 0.01)."""
    return _mixture(n, ring_centers(modes, radius), std, generator, device)


def grid(n: int, side: int = 5, spacing: float = 2.0, std: float = 0.05, generator=None, device="cpu") -> Tensor:
    """`n` samples of equally likely normals on a square grid (PacGAN's protocol: -4..4 in steps of 2, std 0.05)."""
    return _mixture(n, grid_centers(side, spacing), std, generator, device)


def moons(n: int, std: float = 0.05, generator=None, device="cpu") -> Tensor:
    """`n` samples of two interleaved half circles of radius 1, blurred by `std`."""
    angle = torch.rand(n, generator=generator, device=device) * math.pi
    second = torch.randint(2, (n,), generator=generator, device=device).bool()
    x = torch.where(second, 1 - angle.cos(), angle.cos()) - 0.5
    y = torch.where(second, 0.5 - angle.sin(), angle.sin()) - 0.25
    return _blur(torch.stack([x, y], dim=1), std, generator)


def spiral(n: int, turns: float = 1.5, std: float = 0.02, generator=None, device="cpu") -> Tensor:
    """`n` samples along a spiral that reaches radius 1 after `turns` turns, blurred by `std`."""
    # The square root spreads the samples evenly along the arm instead of crowding them in the middle.
    t = torch.rand(n, generator=generator, device=device).sqrt()
    angle = 2 * math.pi * turns * t
    return _blur(torch.stack([t * angle.cos(), t * angle.sin()], dim=1), std, generator)


def swiss_roll(n: int, std: float = 0.25, generator=None, device="cpu") -> Tensor:
    """`n` samples of a flat Swiss roll of about 1.9 in radius, blurred by `std`, all divided by 7.5.

    t cos t, t sin t with t uniform in [1.5 pi, 4.5 pi]: scikit-learn's roll seen from its end, as the code of
    Gulrajani et al. (2017) scales it.
    """
    t = 1.5 * math.pi * (1 + 2 * torch.rand(n, generator=generator, device=device))
    return _blur(torch.stack([t * t.cos(), t * t.sin()], dim=1) / 7.5, std / 7.5, generator)


def points(
    n: int, centers: Sequence[Sequence[float]] | Tensor, std: float = 0.05, generator=None, device="cpu"
) -> Tensor:
    """`n` samples around your own points.

    Args:
        centers: a list of (x, y), or a tensor (modes, 2).

    Raises:
        ValueError: the points are not pairs of finite numbers.
    """
    try:
        where = torch.as_tensor(centers, dtype=torch.float32)
    except (ValueError, TypeError):
        where = torch.empty(0)
    if where.ndim != 2 or where.shape[1] != 2 or len(where) == 0 or not where.isfinite().all():
        raise ValueError("Points must be a list of finite (x, y) pairs, for example [(0, 0), (1, 0.5)].")
    return _mixture(n, where, std, generator, device)


def normal(
    n: int, mean: Sequence[float], covariance: Sequence[Sequence[float]], generator=None, device="cpu"
) -> Tensor:
    """`n` samples (n, dim) of one normal distribution of any dimension.

    Args:
        mean: dim numbers.
        covariance: dim rows of dim numbers, symmetric and positive definite; the variance where dim is 1.
    """
    spread = torch.linalg.cholesky(torch.tensor(covariance, dtype=torch.float32)).to(device)
    z = torch.randn(n, len(mean), generator=generator, device=device)
    return torch.tensor(mean, dtype=torch.float32, device=device) + z @ spread.T


@dataclass(frozen=True)
class PointSet:
    """A distribution of points as training.Run wants its data: every batch is drawn afresh.

    Attributes:
        draw: (n, generator=..., device=...) -> (n, dim), for example `functools.partial(ring, modes=8)`.
        dim: numbers in one point.
        name: what the set is called in cards and reports.
        device: where the points are drawn.
    """

    draw: Callable[..., Tensor]
    dim: int = 2
    name: str = "points"
    device: torch.device | str = "cpu"

    @property
    def image_shape(self) -> tuple[int]:
        """(dim,): the shape of one sample, under the name that a recipe's makers of networks are called with."""
        return (self.dim,)

    def to(self, device: torch.device | str) -> PointSet:
        """The same distribution, drawn on another device."""
        return replace(self, device=device)

    def batch(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, None]:
        """`n` points (n, dim), float32, and no labels."""
        return self.draw(n, generator=generator, device=self.device), None


def _mixture(n: int, centers: Tensor, std: float, generator, device) -> Tensor:
    centers = centers.to(device)
    which = torch.randint(len(centers), (n,), generator=generator, device=device)
    return _blur(centers[which], std, generator, centers)


def _blur(samples: Tensor, std: float, generator, centers: Tensor | None = None) -> Tensor:
    noise = torch.randn(samples.shape, generator=generator, device=samples.device)
    samples = samples + std * noise
    samples.centers = centers
    return samples
