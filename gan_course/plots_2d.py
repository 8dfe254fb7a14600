"""A GAN on points of one or two dimensions, drawn moment by moment: densities, D's answer, pushes on the fakes."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from gan_course.losses import LOSSES
from gan_course.plots import COLOURS

if TYPE_CHECKING:
    import ipywidgets
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REAL, FAKE, JUDGE = COLOURS[0], COLOURS[1], COLOURS[2]


class Moment(NamedTuple):
    """One moment of a game, on the CPU: the step; fake points (N, dim); the push on each (N, dim); D on a grid (M,)."""

    step: int
    fake: Tensor
    push: Tensor
    answers: Tensor


def moment(
    generator: nn.Module, discriminator: nn.Module, z: Tensor, where: Tensor, loss: str, step: int = 0
) -> Moment:
    """What can be drawn of a game now. Neither network is changed, and no gradient is left on them.

    Args:
        z: codes (N, latent_dim).
        where: points (M, dim) at which D is asked.
        loss: a key of losses.LOSSES; each fake is pushed along minus the gradient of the generator's loss on it alone.
    """
    place = next(generator.parameters()).device
    with torch.no_grad():
        fake = generator(z.to(place))
        answers = discriminator(where.to(place)).sigmoid()
    with torch.enable_grad():
        moved = fake.clone().requires_grad_(True)
        total = LOSSES[loss].generator(discriminator(moved)) * len(moved)
        (slope,) = torch.autograd.grad(total, moved)
    return Moment(step, fake.cpu(), -slope.cpu(), answers.cpu())


def kernel_density(samples: Tensor, x: Tensor, width: float | None = None) -> Tensor:
    """The density of samples (N,) at x (M,): the mean of normal bumps around them (Silverman's width by default)."""
    if width is None:
        width = 1.06 * max(samples.std().item(), 1e-3) * len(samples) ** -0.2
    bumps = torch.exp(-0.5 * ((x[:, None] - samples) / width).square())  # (M, N)
    return bumps.mean(1) / (width * (2 * torch.pi) ** 0.5)


def draw_line(axis: Axes, now: Moment, x: Tensor, real_density: Tensor, arrows: int = 12, reach: float = 1.0) -> None:
    """One moment in one dimension: both densities, D, and arrows along which fakes are pushed.

    Args:
        x: the grid (M,) on which D and the real density (M,) are given.
        arrows: how many fakes get one.
        reach: a push of 1 is drawn that long; a longer one is cut at twice that.
    """
    axis.fill_between(x, real_density, color=REAL, alpha=0.3, label="real density p")
    axis.plot(x, kernel_density(now.fake[:, 0], x), color=FAKE, label="density of the fakes q")
    axis.plot(x, now.answers, color=JUDGE, linestyle="--", label="D(x)")
    axis.axhline(0.5, color="grey", linewidth=0.6)
    chosen = now.fake[:, 0].argsort()[torch.linspace(0, len(now.fake) - 1, arrows).long()]
    start = now.fake[chosen, 0]
    length = (reach * now.push[chosen, 0]).clamp(-2 * reach, 2 * reach)
    height = torch.full_like(start, -0.12)
    axis.quiver(start, height, length, 0 * length, color=FAKE, **_ARROWS)
    axis.plot(start, height, ".-", color=FAKE, markersize=4, linewidth=0, label="fakes, and how they are pushed")
    axis.set(xlim=(x[0].item(), x[-1].item()), ylim=(-0.22, 1.25), xlabel="x", title=f"step {now.step}")


def plane(low: float, high: float, side: int = 40) -> Tensor:
    """A square grid of points, (side * side, 2), row by row from the bottom, as `draw_plane` wants it."""
    line = torch.linspace(low, high, side)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


def draw_plane(axis: Axes, now: Moment, where: Tensor, real: Tensor, arrows: int = 40, reach: float = 1.0):
    """One moment in the plane: D as a map, real and fake points, and arrows along which fakes are pushed.

    Args:
        where: the grid made by `plane`, on which D was asked.
        real: points (K, 2).
        arrows, reach: as in `draw_line`.

    Returns:
        The map, for a colour bar.
    """
    side = round(len(where) ** 0.5)
    low, high = where.min().item(), where.max().item()
    picture = axis.imshow(
        now.answers.reshape(side, side), extent=(low, high, low, high), origin="lower", cmap="PiYG", vmin=0, vmax=1
    )
    axis.scatter(*real.T, s=4, color=REAL, alpha=0.6, label="real")
    axis.scatter(*now.fake.T, s=4, color=FAKE, alpha=0.8, label="fake")
    start, push = now.fake[:arrows], reach * now.push[:arrows]
    push = push * (2 * reach / push.norm(dim=1, keepdim=True).clamp_min(1e-9)).clamp_max(1)
    axis.quiver(*start.T, *push.T, color="black", **_ARROWS)
    axis.set(xlim=(low, high), ylim=(low, high), xlabel="x1", ylabel="x2", title=f"step {now.step}")
    return picture


def panels(columns: int, rows: int = 1, width: float = 3.2, height: float = 2.8, **options) -> tuple[Figure, list]:
    """A figure of rows x columns axes of this size in inches, and the axes in a list; options as for `subplots`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height * rows), layout="constrained", facecolor="white")
    return figure, list(figure.subplots(rows, columns, squeeze=False, **options).flat)


def step_slider(figures: Sequence[Figure], alts: Sequence[str], name: str, values: Sequence[float]) -> ipywidgets.VBox:
    """A slider over figures, one a moment. All are drawn at once, so that moving it needs next to no time.

    Args:
        alts: a text for each figure, for those who cannot see it.
        name: what stands before the slider.
        values: what stands behind it, a number for each figure.
    """
    import ipywidgets

    pictures = [_picture(figure, alt) for figure, alt in zip(figures, alts, strict=True)]
    options = [(str(value), index) for index, value in enumerate(values)]
    slider = ipywidgets.SelectionSlider(options=options, value=0, description=name)
    picture = ipywidgets.HTML(pictures[0])
    slider.observe(lambda change: setattr(picture, "value", pictures[change["new"]]), names="value")
    return ipywidgets.VBox([slider, picture])


_ARROWS = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.006, "headwidth": 4, "zorder": 3}


def _picture(figure: Figure, alt: str) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=90, facecolor="white")
    data = base64.b64encode(content.getvalue()).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}" style="max-width: 100%">'
