"""The damage panel: spoil real images with a slider and watch which metric moves."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets
import torch
from torch import Tensor

from gan_course.damage import DAMAGES
from gan_course.data.images import ImageSet
from gan_course.plots import COLOURS, tile, to_pil
from gan_course.widgets.panel import Panel, with_tooltip
from gan_course.widgets.raster import ErrorLine, img_tag, row_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 36  # images in the picture
PICTURE_WIDTH = 350  # pixels on the screen that the picture aims at
STEP = 5  # of the slider, percent
PICTURED = (0.0, 0.5, 1.0)  # strengths, in the figure
CELL = "padding: 1px 12px; text-align: right; font-variant-numeric: tabular-nums"


def distances_and_shares(real: Tensor, fake: Tensor) -> dict[str, float]:
    """FD, KD, precision, recall, density and coverage of features (N, D) and (M, D)."""
    from gan_course import metrics

    return {
        "FD": metrics.frechet_distance(real, fake),
        "KD": metrics.kernel_distance(real, fake),
        **metrics.prdc(real, fake)._asdict(),
    }


class DamagePanel(Panel):
    """Choose a damage and its strength; the samples are spoiled and judged against other real images, at once.

    The last expression of a cell shows it: `DamagePanel(test.subset(range(500)), test.subset(range(500, 1000)),
    extractor)`. The table holds each metric without damage and with it. An error is shown in red; the last good picture
    stays.

    Args:
        samples: the images that are spoiled; their labels are needed where classes are dropped.
        real: other images of the same kind, which they are compared with.
        features: uint8 images (N, C, H, W) to features (N, D), for example a metrics.FeatureExtractor.
        measure: real and spoiled features to numbers, by name.
        seed: of what is random in a damage.
        scale: screen pixels for one pixel of an image, a whole number; None picks one that fits.

    Attributes:
        kind, strength, error_line: the parts; `panel`: the box that holds them all.

    Raises:
        ValueError: fewer than 2 samples or real images; and whatever `features` and `measure` raise at first.
    """

    def __init__(
        self,
        samples: ImageSet,
        real: ImageSet,
        features: Callable[[Tensor], Tensor],
        *,
        measure: Callable[[Tensor, Tensor], dict[str, float]] = distances_and_shares,
        seed: int = 0,
        scale: int | None = None,
    ) -> None:
        if min(len(samples), len(real)) < 2:
            raise ValueError(f"At least 2 samples and 2 real images are needed, not {len(samples)} and {len(real)}.")
        self.samples, self.seed = samples, seed
        self.scale = scale or max(1, PICTURE_WIDTH // (6 * samples.image_shape[2]))
        self._features, self._measure = features, measure
        self._real = features(real.images)
        self._undamaged = measure(self._real, features(samples.images))
        self._numbers, self._images = self._undamaged, samples.images
        self._build()
        self._draw()

    @property
    def numbers(self) -> dict[str, float]:
        """Each metric of the samples as they are shown."""
        return dict(self._numbers)

    @property
    def undamaged(self) -> dict[str, float]:
        """Each metric of the samples as they were given."""
        return dict(self._undamaged)

    @property
    def basis(self) -> str:
        """What the numbers are of: how many samples against how many real images, and whose features if they say so."""
        name = getattr(self._features, "name", None)
        return f"{len(self.samples):,} samples against {len(self._real):,}" + (f", {name}" if name else "")

    @property
    def images(self) -> Tensor:
        """The samples as they are shown, uint8 (N, C, H, W)."""
        return self._images.clone()

    def reset(self) -> None:
        """Undo the damage; the kind stays."""
        self._set((self.strength,), (0,))
        self._draw()

    def figure(self, steps: int = 5, columns: int = 3) -> Figure:
        """Draw the panel without its controls: every damage by strength, in pictures and in numbers.

        Args:
            steps: strengths from 0 to 100 % for the numbers.
            columns: of images in each picture, of the undamaged, of half and of full strength.

        Returns:
            A matplotlib figure, closed in pyplot: show it as the last expression of a cell.
        """
        import matplotlib.pyplot as plt

        kinds = [kind for kind in DAMAGES if kind in self.kind.options]
        strengths = torch.linspace(0, 1, steps).tolist()
        figure, axes = plt.subplots(
            len(kinds),
            3,
            figsize=(10, 1.75 * len(kinds) + 0.5),
            width_ratios=(2, 1.6, 1.6),
            squeeze=False,
            facecolor="white",
            layout="constrained",
        )
        plt.close(figure)
        figure.suptitle(self.basis, fontsize="small")
        for row, kind in zip(axes, kinds, strict=True):
            spoiled = [self._spoil(kind, strength) for strength in strengths]
            _draw_pictures(row[0], kind, [self._spoil(kind, s)[: 2 * columns] for s in PICTURED], columns)
            numbers = [self._measure(self._real, self._features(images)) for images in spoiled]
            _draw_curves(row[1:], strengths, numbers)
        for axis in axes[-1, 1:]:
            axis.set_xlabel("strength, %")
        for axis in axes[0, 1:]:
            axis.legend(fontsize="x-small", frameon=False, loc="best")
        return figure

    def _spoil(self, kind: str, strength: float) -> Tensor:
        return DAMAGES[kind](self.samples.images, strength, labels=self.samples.labels, seed=self.seed)

    def _draw(self) -> None:
        """Spoil, judge and show. On an error nothing has changed."""
        kind, strength = self.kind.value, self.strength.value
        images = self._spoil(kind, strength / 100)
        numbers = self._measure(self._real, self._features(images))
        alt = f"Samples with damage: {kind}, {strength} %" if strength else "Samples without damage"
        self.picture.value = img_tag(tile(images[:SHOWN], 6, gap=1), alt, self.scale)
        self.table.value = _table(self._undamaged, numbers, self.basis)
        self._images, self._numbers = images, numbers

    def _build(self) -> None:
        self.error_line = ErrorLine()
        self.picture, self.table = ipywidgets.HTML(), ipywidgets.HTML()
        shape = {"style": {"description_width": "84px"}, "layout": {"width": "auto"}}
        kinds = [kind for kind in DAMAGES if kind != "classes dropped" or self.samples.labels is not None]
        self.kind = ipywidgets.Dropdown(options=kinds, description="damage", **shape)
        self.strength = ipywidgets.IntSlider(0, 0, 100, STEP, description="strength, %", **shape)
        for control in (self.kind, self.strength):
            control.observe(self.error_line.guard(self._on_control), names="value")
            with_tooltip(control)
        reset = self._button("Reset", self.reset, "Undo the damage")
        controls = ipywidgets.VBox(
            [row_of(reset), self.kind, self.strength, self.table],
            layout={"flex": "1 1 330px", "max_width": "440px", "min_width": "0"},
        )
        self.picture.layout = {"margin": "2px 16px 2px 2px"}
        self.panel = ipywidgets.VBox([row_of(self.picture, controls, align="flex-start"), self.error_line.widget])

    def _on_control(self, _: dict) -> None:
        if not self._quiet:
            self._draw()

    def __repr__(self) -> str:
        return (
            f"DamagePanel: {len(self.samples)} samples, {len(self.kind.options)} kinds of damage. "
            "Run this cell for its slider; .figure() draws it without."
        )


def _table(before: dict[str, float], now: dict[str, float], basis: str) -> str:
    """The numbers as an HTML table; a line for each metric, and below them what they are of."""
    lines = "".join(
        f'<tr><th scope="row" style="{CELL}; text-align: left">{html.escape(name)}</th>'
        f'<td style="{CELL}">{_number(before[name])}</td><td style="{CELL}"><b>{_number(value)}</b></td></tr>'
        for name, value in now.items()
    )
    head = "".join(f'<th scope="col" style="{CELL}">{title}</th>' for title in ("", "undamaged", "now"))
    caption = f'<caption style="caption-side: bottom; padding-top: 4px">{html.escape(basis)}</caption>'
    return f'<table style="border-collapse: collapse; line-height: 1.5">{caption}<tr>{head}</tr>{lines}</table>'


def _number(value: float) -> str:
    return f"{value:,.{3 if abs(value) < 10 else 1}f}"


def _draw_pictures(axis, kind: str, groups: list[Tensor], columns: int) -> None:
    """Images of no, half and full strength side by side."""
    pages = [tile(images, columns, gap=1) for images in groups]
    gap = torch.full((*pages[0].shape[:2], 6), 255, dtype=torch.uint8)
    page = torch.cat([pages[0], gap, pages[1], gap, pages[2]], 2)
    axis.imshow(to_pil(page), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    width = pages[0].shape[2]
    names = [f"{100 * strength:.0f} %" for strength in PICTURED]
    axis.set_xticks([width / 2 + i * (width + 6) for i in range(3)], names, fontsize="x-small")
    axis.set_yticks([])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_title(kind, fontsize="small", loc="left")


def _draw_curves(axes, strengths: list[float], numbers: list[dict[str, float]]) -> None:
    """Distances, which have no upper end, on the left; shares on the right."""
    is_share = [name.islower() for name in numbers[0]]
    for axis, wanted in zip(axes, (False, True), strict=True):
        names = [name for name, share in zip(numbers[0], is_share, strict=True) if share == wanted]
        for colour, marker, name in zip(COLOURS, "osD^vP*", names, strict=False):
            values = [row[name] for row in numbers]
            axis.plot([100 * s for s in strengths], values, color=colour, marker=marker, markersize=3, label=name)
        axis.grid(alpha=0.3)
        axis.tick_params(labelsize="x-small")
        if wanted:
            axis.set_ylim(-0.05, None)
        else:
            axis.set_yscale("symlog", linthresh=1)
