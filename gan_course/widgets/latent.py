"""The latent explorer: move through the space of codes and watch what a generator makes of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import ipywidgets
import torch
from torch import nn

from gan_course.plots import tile
from gan_course.walks import slerp
from gan_course.widgets.panel import Panel, with_tooltip
from gan_course.widgets.raster import ErrorLine, device_of, img_tag, make_images, row_of, rows_of, strips_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REACH = 3.0  # a slider goes this many standard deviations each way
PICTURE_WIDTH = 280  # pixels on the screen that the big image aims at
THUMBNAILS = 5  # on the strip from A to B
THUMBNAIL_WIDTH = 64


def random_directions(count: int, latent_dim: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Draw `count` random directions (count, latent_dim) of length 1 at right angles to each other.

    Raises:
        ValueError: more directions than dimensions.
    """
    if not 1 <= count <= latent_dim:
        raise ValueError(f"a space of {latent_dim} dimensions has 1 to {latent_dim} directions, not {count}.")
    columns, _ = torch.linalg.qr(torch.randn(latent_dim, count, generator=generator))
    return columns.T.contiguous()


class LatentExplorer(Panel):
    """Sliders, buttons and a walk between two codes, over any generator.

    The last expression of a cell shows it: `LatentExplorer(generator, 100)`. Every slider moves the code
    along one direction, by up to three standard deviations each way. 'New random' takes another code and
    leaves the sliders, 'Reset' goes back to the first. 'Keep as A' and 'Keep as B' set the walk's ends.
    An error of the generator is shown in red; the last good image stays.

    Args:
        generate: maps codes (N, latent_dim), float32, to images (N, C, H, W) in [-1, 1], C = 1 or 3. An
            `nn.Module` runs in eval mode and gets its own mode back; a conditional one goes into a lambda.
        latent_dim: numbers in a code. Codes are standard normal.
        directions: tensor (k, latent_dim), one slider each, brought to length 1; None draws four random
            ones at right angles.
        labels: k names for the sliders.
        codes: tensor (n, latent_dim) to start from; None draws `images` random ones.
        images: how many images to show side by side, all moved alike; ignored when `codes` are given.
        seed: of the explorer's own random numbers; the global ones are left alone.
        scale: screen pixels for one pixel of an image, a whole number; None picks one that fits.
        device: where the codes go; None takes the device of `generate`'s parameters, else the CPU.

    Attributes:
        sliders, path, play, error_line: the parts; `panel`: the box that holds them all.

    Raises:
        ValueError: a wrong shape, or images that cannot be shown; and whatever `generate` raises at first.
    """

    def __init__(
        self,
        generate: Callable[[torch.Tensor], torch.Tensor],
        latent_dim: int,
        *,
        directions: torch.Tensor | None = None,
        labels: Sequence[str] | None = None,
        codes: torch.Tensor | None = None,
        images: int = 1,
        seed: int = 0,
        scale: int | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self.latent_dim, self.scale = latent_dim, scale
        device = device_of(generate) if device is None else device
        self._make = functools.partial(make_images, generate, device=device)
        self._rng = torch.Generator().manual_seed(seed)
        self._first = rows_of(self._random(images) if codes is None else codes, latent_dim, "codes")
        self._base = self._start = self._first
        self._end = self._random(len(self._first))
        if directions is None:
            directions = random_directions(min(4, latent_dim), latent_dim, self._rng)
        self.directions = nn.functional.normalize(rows_of(directions, latent_dim, "directions"), dim=1)
        count = len(self.directions)
        if not self.directions.any(dim=1).all():
            raise ValueError("a direction of length 0 leads nowhere.")
        self.labels = list(labels or (f"direction {number + 1}" for number in range(count)))
        if len(self.labels) != count:
            raise ValueError(f"{count} directions need as many labels, not {len(self.labels)}.")
        self._codes: torch.Tensor | None = None
        self._images: torch.Tensor | None = None
        self._build_controls()
        self._build_panel()
        self._draw(self._first)
        self._draw_strip(self._start, self._end)

    @property
    def codes(self) -> torch.Tensor:
        """The codes (n, latent_dim) of the images shown, on the CPU."""
        return self._codes.clone()

    @property
    def z(self) -> torch.Tensor:
        """The code (latent_dim,) of the first image shown, on the CPU."""
        return self._codes[0].clone()

    @property
    def images(self) -> torch.Tensor:
        """The images shown, (n, C, H, W) in [-1, 1], on the CPU."""
        return self._images.clone()

    @property
    def image(self) -> torch.Tensor:
        """The first image shown, (C, H, W) in [-1, 1], on the CPU."""
        return self._images[0].clone()

    # What the buttons do. Called from Python these raise; behind a button the error is shown instead.

    def new_random(self) -> None:
        """Take new random codes; the sliders stay, so that one sees what a direction does elsewhere."""
        self._draw(self._random(len(self._first)))

    def reset(self) -> None:
        """Go back to the first codes, sliders at 0."""
        controls = (self.path, *self.sliders)
        self._set(controls, (0,) * len(controls))
        self._draw(self._first)

    def keep_as_a(self) -> None:
        """Start the walk at what is shown now."""
        self._draw_strip(self._codes, self._end)

    def keep_as_b(self) -> None:
        """End the walk at what is shown now."""
        self._draw_strip(self._start, self._codes)

    def figure(self, columns: int = 7) -> Figure:
        """Draw the explorer without its sliders: a row for each direction, and one for the walk from A to B.

        Returns:
            A matplotlib figure, already closed in pyplot: show it as the last expression of a cell.
        """
        amounts, steps = torch.linspace(-REACH, REACH, columns), torch.linspace(0, 1, columns)
        rows = self._base[0] + amounts[None, :, None] * self.directions[:, None]
        codes = torch.cat([rows, slerp(self._start[0], self._end[0], steps)[None]])
        images = self._make(codes.flatten(0, 1)).unflatten(0, codes.shape[:2])
        columns_of_row = [[f"{amount:+.2g}" if amount else "0" for amount in amounts]] * len(rows)
        columns_of_row.append([f"{step:.0%}" for step in steps])
        title = "One code, moved along each direction (in standard deviations), and the walk from A to B"
        return strips_figure(images, [*self.labels, "A to B"], columns_of_row, title)

    def _random(self, count: int) -> torch.Tensor:
        return torch.randn(count, self.latent_dim, generator=self._rng)

    def _draw(self, base: torch.Tensor) -> None:
        """Show the images of base codes moved by the sliders. On an error nothing has changed."""
        amounts = torch.tensor([slider.value for slider in self.sliders])
        codes = base + amounts @ self.directions
        if self._codes is None or not torch.equal(codes, self._codes):
            images = self._make(codes)
            width = PICTURE_WIDTH if len(images) == 1 else 2 * PICTURE_WIDTH
            scale = self.scale or max(1, width // len(images) // max(images.shape[2:]))
            self.picture.value = img_tag(tile(images, len(images), gap=1), self._alt(), scale)
            self._codes, self._images = codes, images
        self._base = base

    def _draw_strip(self, start: torch.Tensor, end: torch.Tensor) -> None:
        """Show small images from start to end, both (n, latent_dim). On an error nothing has changed."""
        images = self._make(slerp(start[0], end[0], torch.linspace(0, 1, THUMBNAILS)))
        shrink = -(-images.shape[-1] // THUMBNAIL_WIDTH)
        small = nn.functional.avg_pool2d(images, shrink) if shrink > 1 else images
        alt = f"{THUMBNAILS} generated images on the way from A to B"
        self.strip.value = img_tag(tile(small, len(small), gap=1), alt, max(1, THUMBNAIL_WIDTH // small.shape[-1]))
        self._start, self._end = start, end

    def _alt(self) -> str:
        moved = [f"{slider.description} {slider.value:+.1f}" for slider in self.sliders if slider.value]
        return "; ".join(["Generated images" if len(self._first) > 1 else "Generated image", *moved])

    def _build_controls(self) -> None:
        self.error_line = ErrorLine()
        self.picture, self.strip = ipywidgets.HTML(), ipywidgets.HTML()
        shape = {"style": {"description_width": "90px"}, "layout": {"width": "auto"}}
        reach = {"min": -REACH, "max": REACH, "step": 0.1}
        self.sliders = [
            ipywidgets.FloatSlider(0, description=label, readout_format="+.1f", **reach, **shape)
            for label in self.labels
        ]
        walk = {"min": 0, "max": 100, "step": 4}
        self.path = ipywidgets.IntSlider(0, description="A to B, %", **walk, **shape)
        self.play = ipywidgets.Play(interval=100, **walk)
        self._link = ipywidgets.jslink((self.play, "value"), (self.path, "value"))
        for slider in self.sliders:
            slider.observe(self.error_line.guard(self._on_slider), names="value")
        for slider in (*self.sliders, self.path):
            with_tooltip(slider)
        self.path.observe(self.error_line.guard(self._on_path), names="value")

    def _build_panel(self) -> None:
        new = self._button("New random", self.new_random, "Another random code; the sliders stay")
        reset = self._button("Reset", self.reset, "The first code, sliders at 0")
        keep_a = self._button("Keep as A", self.keep_as_a, "Start the walk at this image")
        keep_b = self._button("Keep as B", self.keep_as_b, "End the walk at this image")
        units = ipywidgets.HTML('<span style="opacity: .8">&nbsp;sliders in standard deviations</span>')
        controls = ipywidgets.VBox(
            [
                row_of(new, reset, units),
                *self.sliders,
                row_of(keep_a, keep_b, self.play),
                self.path,
                row_of(ipywidgets.HTML("A&nbsp;"), self.strip, ipywidgets.HTML("&nbsp;B")),
            ],
            layout={"flex": "1 1 330px", "max_width": "420px", "min_width": "0"},
        )
        self.picture.layout = {"margin": "2px 16px 2px 2px"}
        body = row_of(self.picture, controls, align="flex-start")
        self.panel = ipywidgets.VBox([body, self.error_line.widget])

    def _on_slider(self, _: dict) -> None:
        if not self._quiet:
            self._draw(self._base)

    def _on_path(self, _: dict) -> None:
        if not self._quiet:
            self._set(self.sliders, (0,) * len(self.sliders))
            self._draw(slerp(self._start, self._end, self.path.value / 100))

    def __repr__(self) -> str:
        return (
            f"LatentExplorer: {len(self.sliders)} directions in a space of {self.latent_dim} dimensions. "
            "Run this cell for its sliders; .figure() draws it without them."
        )
