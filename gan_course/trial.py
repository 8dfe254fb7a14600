"""Metrics on trial: what each of them says of some samples, beside what it says of honest ones.

row = {"row": "blur 25%", "metrics": intervals([numbers_of_one_draw, numbers_of_another])}
figure([honest_row, row])                             # one row of them must be called "honest"

benchmarks/metric_trial.py makes such rows; lesson 10 shows them, and adds the learner's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORSE, SAME, BETTER = -1, 0, 1
ARROWS = {WORSE: " ▼", SAME: "", BETTER: " ▲"}
COLOURS = ("#A6CEE3", "#F5F5F5", "#F2A65A")  # worse, same, better

# Name of the number: (title, whether higher is better; None: higher is worse, and lower says nothing).
METRICS: dict[str, tuple[str, bool | None]] = {
    "frechet_distance": ("FD", False),
    "frechet_distance_fashion": ("FD\nfashion", False),
    "frechet_distance_random": ("FD\nrandom", False),
    "kernel_distance": ("KD", False),
    "precision": ("preci-\nsion", True),
    "recall": ("recall", True),
    "density": ("density", True),
    "coverage": ("cover-\nage", True),
    "curve_f8": ("$F_8$", True),
    "curve_f1_8": ("$F_{1/8}$", True),
    "inception_score_digits": ("IS\n(digits)", True),
    "pairwise_distance": ("mean\ndistance", True),
    "ms_ssim": ("MS-\nSSIM", False),
    "closer_than_held_out": ("copies", None),
    "two_sample_logistic": ("two-\nsample", False),
}


def intervals(draws: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean, smallest and largest value of each number over the draws: {name: {"mean", "low", "high"}}."""
    return {
        name: {"mean": fmean(values), "low": min(values), "high": max(values)}
        for name, values in ((name, [draw[name] for draw in draws]) for name in draws[0])
    }


def verdict(value: dict[str, float], honest: dict[str, float], higher_is_better: bool | None) -> int:
    """WORSE or BETTER than honest samples where the two intervals do not meet, else SAME. See METRICS for None.

    A mean that is not finite is WORSE.
    """
    if not math.isfinite(value["mean"]):
        return WORSE
    if value["high"] < honest["low"]:
        return {True: WORSE, False: BETTER, None: SAME}[higher_is_better]
    if value["low"] > honest["high"]:
        return BETTER if higher_is_better else WORSE
    return SAME


def verdicts(rows: Sequence[dict]) -> tuple[list[str], list[list[int]]]:
    """The names of METRICS that all rows have, and a verdict of each on each row.

    Raises:
        ValueError: no row is called "honest".
    """
    honest = next((row["metrics"] for row in rows if row["row"] == "honest"), None)
    if honest is None:
        raise ValueError('No row is called "honest", so there is nothing to compare the others with.')
    names = [name for name in METRICS if all(name in row["metrics"] for row in rows)]
    return names, [[verdict(row["metrics"][name], honest[name], METRICS[name][1]) for name in names] for row in rows]


def short(value: float) -> str:
    """Three digits that matter: 1,234 and 12.3 and 1.23."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def figure(rows: Sequence[dict]) -> Figure:
    """The trial as a coloured table: a row for each set of samples, a column for each metric, means and arrows.

    Args:
        rows: {"row": name, "metrics": as `intervals` gives them}; one is called "honest".
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    names, table = verdicts(rows)
    picture = Figure(figsize=(10.5, 0.34 * len(rows) + 0.8), layout="constrained", facecolor="white")
    axis = picture.subplots()
    axis.imshow(table, cmap=ListedColormap(COLOURS), vmin=WORSE, vmax=BETTER, aspect="auto")
    for i, row in enumerate(rows):
        for j, name in enumerate(names):
            text = short(row["metrics"][name]["mean"]) + ARROWS[table[i][j]]
            axis.text(j, i, text, ha="center", va="center", fontsize=7.5)
    axis.set_xticks(range(len(names)), [METRICS[name][0] for name in names], fontsize=8)
    axis.set_yticks(range(len(rows)), [row["row"] for row in rows], fontsize=8)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    return picture


def exhibits(groups: dict[str, Tensor], columns: int = 10) -> Figure:
    """The first images of each group in a row, with the group's name at the left.

    Args:
        groups: (N, C, H, W) each, of one size, uint8 or float in [-1, 1], at least `columns` images.
    """
    import torch
    from matplotlib.figure import Figure

    from gan_course.plots import tile, to_pil

    pages = [tile(images[:columns], columns) for images in groups.values()]
    height = pages[0].shape[1]
    page = torch.cat([torch.nn.functional.pad(page, (1, 1, 1, 1), value=160) for page in pages], 1)
    shape = page.shape[2] / page.shape[1]
    picture = Figure(figsize=(7.5 + 2, 7.5 / shape), layout="constrained", facecolor="white")
    axis = picture.subplots()
    axis.imshow(to_pil(page), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_yticks([(height + 2) * (i + 0.5) for i in range(len(pages))], list(groups), fontsize=9)
    axis.set_xticks([])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return picture
