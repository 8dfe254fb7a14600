"""What the GAN stepper can be trained on: the toy sets, and points typed in."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gan_course.data import toy
from gan_course.widgets.raster import PlainError

DATA: dict[str, Callable[..., Tensor]] = {
    "ring": toy.ring,
    "grid": toy.grid,
    "moons": toy.moons,
    "spiral": toy.spiral,
    "swiss roll": toy.swiss_roll,
    "normal": functools.partial(toy.normal, mean=(2.0, 1.5), covariance=((1.0, 0.6), (0.6, 0.5))),
}
YOUR_POINTS = "your points"
MOST_POINTS = 200
FARTHEST = 1000.0

Data = str | toy.PointSet | Sequence[Sequence[float]]


def parse_points(text: str) -> list[tuple[float, float]]:
    """Read points such as "0, 0; 1, 0.5", a pair between semicolons or on a line; "(0, 0), (1, 0.5)" will do, too.

    A point that stands there twice counts once.

    Raises:
        PlainError: the text is something else; the message says what to write.
    """
    found = []
    for group in re.split(r"[;\n]|[)\]]\s*,?\s*[(\[]", text.strip("()[]; \t\n")):
        pair = group.strip("()[], \t")
        try:
            x, y = (float(number) for number in re.split(r"\s*,\s*|\s+", pair))
        except ValueError:
            raise PlainError(
                f"{pair!r} is not a point: write x, y for each point and a semicolon between points, for example "
                "0, 0; 1, 0.5."
            ) from None
        if not max(abs(x), abs(y)) <= FARTHEST:  # also true of NaN
            raise PlainError(f"The point {pair!r} is too far out: its numbers must lie within {FARTHEST:g} of 0.")
        found.append((x, y))
    if len(found) > MOST_POINTS:
        raise PlainError(f"These are {len(found)} points; {MOST_POINTS} are the most that can be drawn.")
    return list(dict.fromkeys(found))


def point_set(data: Data) -> toy.PointSet:
    """The data by a name of DATA, a distribution of your own in the plane, or a list of (x, y) to scatter around.

    Raises:
        ValueError: no such name, no points, or not in the plane.
    """
    if isinstance(data, str):
        if data not in DATA:
            raise ValueError(f"There are no data called {data!r}; use one of {', '.join(DATA)}, or a list of points.")
        return toy.PointSet(DATA[data], name=data)
    if not isinstance(data, toy.PointSet):
        toy.points(1, data)  # raises where they are no points
        return toy.PointSet(functools.partial(toy.points, centers=data), name=YOUR_POINTS)
    if data.dim != 2:
        raise ValueError(f"The stepper draws points of the plane, but these have dimension {data.dim}.")
    return data


def look_at(data: toy.PointSet, n: int, seed: int = 0) -> tuple[Tensor, Tensor | None, float | None]:
    """`n` points (n, 2) to draw, the centers of the modes (modes, 2) and their std; None, None where there are none."""
    shown = data.to("cpu").draw(n, generator=torch.Generator().manual_seed(seed), device="cpu")
    centers, std = getattr(shown, "centers", None), inspect.signature(data.draw).parameters.get("std")
    if centers is None or std is None or not isinstance(std.default, float):
        return shown, None, None
    return shown, centers, std.default
