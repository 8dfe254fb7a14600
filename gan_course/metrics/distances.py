"""Distances of many points: all pairs in a block, neighbours and balls that are exact although float32 does the work.

The product of two blocks costs half the time in float32, and hardly any pair is so close to the edge of a ball that
this is not exact enough. So float32 finds the pairs in doubt, by a bound on its error, and float64 decides those, from
the differences of the points; the time is short as long as few pairs are in doubt for float64 products, too.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 512
MORE = 4  # neighbours that are kept beyond the k-th, in case float32 has them in a wrong order
PAIRS = 4096  # whose distances are taken at a time
OFTEN = 0.02  # of a block in doubt: float64 decides all of it


class Points:
    """Float64 points (N, D), and their copies of the type that is fast. All distances are in units of the scale.

    Args:
        points: (N, D).
        middle, scale: what is taken away, and what divides then; the same for all that are compared.
    """

    def __init__(self, points: Tensor, middle: Tensor, scale: float):
        self.exact, self.middle, self.scale = points, middle, scale
        safe = points.device.type == "cpu" and torch.get_float32_matmul_precision() == "highest"
        parts = [self.framed(points[i : i + BLOCK]) for i in range(0, len(points), BLOCK)]
        self.squares = torch.cat([part.square().sum(1) for part in parts])
        self.fast = torch.cat([part.float() if safe else part for part in parts])

    def __len__(self) -> int:
        return len(self.exact)

    def framed(self, rows: Tensor) -> Tensor:
        """Rows of the exact points, moved and scaled."""
        return (rows - self.middle).div_(self.scale)

    def slack(self, others: Points, kind: torch.dtype) -> Tensor:
        """How far the squared distance of each point to any of the others may be off, computed in a type; float64 (N,).

        A product is off by at most D u |x| |y|, u being half the type's epsilon; a distance by twice that, and by the
        rounding of both squares.
        """
        unit = (self.exact.shape[1] + 8) * torch.finfo(kind).eps / 2
        return unit * (self.squares + others.squares.max())


def same_frame(*sets: Tensor) -> list[Points]:
    """Sets of points, moved and scaled alike: the first lies about the origin, and no point is longer than 1."""
    middle = sets[0].mean(0)
    parts = [part for points in sets for part in points.split(BLOCK)]
    scale = max(float((part - middle).square().sum(1).max()) for part in parts) ** 0.5
    return [Points(points, middle, scale if scale > 0 else 1.0) for points in sets]


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """||x - y||^2 of all pairs (N, M), at least 0, as |x|^2 + |y|^2 - 2 x . y.

    Args:
        x, y: (N, D) and (M, D).
    """
    products = torch.addmm(y.square().sum(1).expand(len(x), -1), x, y.T, alpha=-2)
    return products.add_(x.square().sum(1)[:, None]).clamp_min_(0)


def inside(x: Points, rows: slice, y: Points, radii: Tensor, of_rows: bool, distances: Tensor) -> Tensor:
    """Which pairs lie closer than a squared radius, bool (rows, M).

    Args:
        radii: float64, of the balls around each of the rows (rows,), or around each of y (M,).
        of_rows: which of the two.
        distances: the fast ones, (rows, M).
    """
    radii = radii.masked_fill(radii == 0, -torch.inf)  # nothing is in such a ball: no copy of its middle is in doubt
    radii = radii[:, None] if of_rows else radii[None]
    result, doubt = _compare(x, rows, y, radii, of_rows, distances)
    first, second = doubt.nonzero(as_tuple=True)
    if len(first) > OFTEN * doubt.numel():
        distances = squared_distances(x.framed(x.exact[rows]), y.framed(y.exact))
        result, doubt = _compare(x, rows, y, radii, of_rows, distances)
        first, second = doubt.nonzero(as_tuple=True)
    exact = pair_distances(x.exact[rows], y.exact, first, second) / x.scale**2
    result[first, second] = exact < radii.expand(doubt.shape)[first, second]
    return result


def _compare(x: Points, rows: slice, y: Points, radii: Tensor, of_rows: bool, distances: Tensor):
    """Which distances are below the radii, and which are so near to them that it is not sure; bool (rows, M) each."""
    kind = distances.dtype
    slack = x.slack(y, kind)[rows, None] if of_rows else y.slack(x, kind)[None]
    radii = radii.to(kind)
    return distances < radii, (distances - radii).abs_() <= slack.to(kind)


def pair_distances(x: Tensor, y: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """||x[first] - y[second]||^2, from the differences, so 0 for copies; (pairs,)."""
    parts = zip(first.split(PAIRS), second.split(PAIRS), strict=True)
    return torch.cat([(x[i] - y[j]).square().sum(1) for i, j in parts])


def squared_radii(points: Points, k: int) -> Tensor:
    """The squared distance of each point to its k-th nearest neighbour, float64 (N,).

    The nearest of all is the point itself. Each pair of points is looked at once: a block of distances serves the
    points of its rows and those of its columns.
    """
    n, kept = len(points), min(k + 1 + MORE, len(points))
    values = points.fast.new_full((n, kept), torch.inf)
    indices = torch.zeros(n, kept, dtype=torch.long, device=values.device)
    for start in range(0, n, BLOCK):
        distances = squared_distances(points.fast[start : start + BLOCK], points.fast[start:])
        _keep_nearest(values[start : start + BLOCK], indices[start : start + BLOCK], distances, 1, start)
        if start + BLOCK < n:
            _keep_nearest(values[start + BLOCK :], indices[start + BLOCK :], distances[:, BLOCK:], 0, start)
    radii, unsure = _exact_kth(points, torch.arange(n, device=values.device), values, indices, k)
    for rows in unsure.split(BLOCK):  # float64 chooses the candidates
        distances = squared_distances(points.framed(points.exact[rows]), points.framed(points.exact))
        near = distances.topk(kept, dim=1, largest=False)
        radii[rows], rest = _exact_kth(points, rows, near.values, near.indices, k)
        for row in rest.tolist():
            exact = (points.exact[row] - points.exact).square().sum(1)
            radii[row] = exact.kthvalue(k + 1).values / points.scale**2
    return radii


def _keep_nearest(values: Tensor, indices: Tensor, distances: Tensor, dim: int, start: int) -> None:
    """Keep the smallest of what is known and of a block's distances, along `dim`, sorted; in place."""
    near = distances.topk(min(values.shape[1], distances.shape[dim]), dim=dim, largest=False)
    found, where = (near.values, near.indices) if dim == 1 else (near.values.T, near.indices.T)
    both, places = torch.cat([values, found], 1), torch.cat([indices, where + start], 1)
    best = both.topk(values.shape[1], dim=1, largest=False)
    values.copy_(best.values)
    indices.copy_(places.gather(1, best.indices))


def _exact_kth(points: Points, rows: Tensor, values: Tensor, indices: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The exact k-th distance of some rows, of candidates in order, and the rows for which these may be too few.

    Only those about as far as the k-th are looked at again. Where the last candidate is among them, more may be, unless
    the k-th is a copy, since nothing is nearer.
    """
    slack = 2 * points.slack(points, values.dtype)[rows, None]
    values = values.double()
    from_kth = values - values[:, k, None]
    doubt = from_kth.abs() <= slack
    values = values.masked_fill(from_kth < -slack, -torch.inf).masked_fill(from_kth > slack, torch.inf)
    first, column = doubt.nonzero(as_tuple=True)
    values[first, column] = _scaled(points, rows[first], indices[first, column])
    result = values.sort(1).values[:, k].clone()
    return result, rows[doubt[:, -1] & (values.shape[1] < len(points)) & (result > 0)]


def _scaled(points: Points, first: Tensor, second: Tensor) -> Tensor:
    return pair_distances(points.exact, points.exact, first, second) / points.scale**2
