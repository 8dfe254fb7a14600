"""The class explorer: hold a style, and turn one class into another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import ipywidgets
import torch

from gan_course.plots import tile
from gan_course.widgets.panel import Panel, with_tooltip
from gan_course.widgets.raster import (
    ErrorLine,
    device_of,
    eval_mode,
    img_tag,
    make_images,
    row_of,
    rows_of,
    strips_figure,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURE_WIDTH = 280  # pixels on the screen that the big image aims at
STRIP_WIDTH = 420  # and the row of all classes


class ClassExplorer(Panel):
    """A slider for the class, and one that turns it into another, while the code, and with it the style, is held.

    The last expression of a cell shows it: `ClassExplorer(generator, 100, images.classes)`. Under the big image stands
    every class in the same style. An error of the generator is shown in red; the last good image stays.

    Args:
        generate: maps codes (N, latent_dim) and shares of classes (N, K), rows that sum to 1, to images (N, C, H, W) in
            [-1, 1], C = 1 or 3. An `nn.Module` runs in eval mode and gets its own mode back.
        latent_dim: numbers in a code. Codes are standard normal.
        classes: the K names.
        code: tensor (latent_dim,) to start from; None draws one.
        seed: of the explorer's own random numbers; the global ones are left alone.
        scale: screen pixels for one pixel of the big image, a whole number; None picks one that fits.
        device: where codes and shares go; None takes the device of `generate`'s parameters, else the CPU.

    Attributes:
        start, end, amount, play, error_line: the parts; `panel`: the box that holds them all.

    Raises:
        ValueError: fewer than two classes, two of one name, a wrong shape, or images that cannot be shown; and whatever
            `generate` raises at first.
    """

    def __init__(
        self,
        generate: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        latent_dim: int,
        classes: Sequence[str],
        *,
        code: torch.Tensor | None = None,
        seed: int = 0,
        scale: int | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self.latent_dim, self.classes, self.scale = latent_dim, list(classes), scale
        if len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:
            raise ValueError(f"the explorer needs two classes or more, with names of their own, not {self.classes}.")
        self._generate = generate
        self._device = device_of(generate) if device is None else device
        self._rng = torch.Generator().manual_seed(seed)
        self._first = rows_of(self._random() if code is None else torch.as_tensor(code)[None], latent_dim, "code")
        self._code = self._first
        self._shares: torch.Tensor | None = None
        self._image: torch.Tensor | None = None
        self._build_controls()
        self._build_panel()
        self._draw(self._first)

    @property
    def z(self) -> torch.Tensor:
        """The code (latent_dim,) that is held, on the CPU."""
        return self._code[0].clone()

    @property
    def shares(self) -> torch.Tensor:
        """The share of each class in the image shown, (K,)."""
        return self._shares[0].clone()

    @property
    def image(self) -> torch.Tensor:
        """The image shown, (C, H, W) in [-1, 1], on the CPU."""
        return self._image.clone()

    # What the buttons do. Called from Python these raise; behind a button the error is shown instead.

    def new_style(self) -> None:
        """Take another random code; the classes stay."""
        self._draw(self._random())

    def reset(self) -> None:
        """Go back to the first code, the first class turned into the second, by 0 %."""
        self._set((self.start, self.end, self.amount), (*self.classes[:2], 0))
        self._draw(self._first)

    def figure(self, styles: int = 3) -> Figure:
        """Draw the explorer without its sliders: a row of all classes for each style, and the way from A to B.

        Returns:
            A matplotlib figure, already closed in pyplot: show it as the last expression of a cell.
        """
        count = len(self.classes)
        rng = torch.Generator().manual_seed(1)
        more = torch.randn(styles - 1, self.latent_dim, generator=rng)
        codes = torch.cat([self._code, more, self._code]).repeat_interleave(count, 0)  # (rows * K, D)
        steps = torch.linspace(0, 1, count)
        shares = torch.cat([torch.eye(count).repeat(styles, 1), self._between(steps)])  # (rows * K, K)
        images = self._make(codes, shares).unflatten(0, (styles + 1, count))
        names = [name.replace(" ", "\n") for name in self.classes]
        columns = [names] * styles + [[f"{step:.0%}" for step in steps]]
        rows = [f"style {number + 1}" for number in range(styles)]
        rows.append(f"{self.start.value}\nto {self.end.value}")
        return strips_figure(images, rows, columns, "One code a row, every class; and one class turned into another")

    def _random(self) -> torch.Tensor:
        return torch.randn(1, self.latent_dim, generator=self._rng)

    def _make(self, codes: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        def both(joined: torch.Tensor) -> torch.Tensor:
            return self._generate(joined[:, : self.latent_dim], joined[:, self.latent_dim :])

        with eval_mode(self._generate):
            return make_images(both, torch.cat([codes, shares], 1), self._device)

    def _between(self, amounts: torch.Tensor) -> torch.Tensor:
        """Shares (n, K) on the way from A to B; amounts (n,) in [0, 1]."""
        table = torch.eye(len(self.classes))
        start, end = (table[self.classes.index(part.value)] for part in (self.start, self.end))
        return (1 - amounts[:, None]) * start + amounts[:, None] * end

    def _draw(self, code: torch.Tensor) -> None:
        """Show this code with the sliders' classes, and all classes of it. On an error nothing has changed."""
        shares = self._between(torch.tensor([self.amount.value / 100]))
        count = len(self.classes)
        images = self._make(code.expand(count + 1, -1), torch.cat([shares, torch.eye(count)]))
        width = images.shape[-1]
        self.picture.value = img_tag(
            tile(images[:1], 1, gap=1), self._alt(), self.scale or max(1, PICTURE_WIDTH // width)
        )
        strip = tile(images[1:], -(-count // 2), gap=1)
        alt = "The same code as each class: " + ", ".join(self.classes)
        self.strip.value = img_tag(strip, alt, max(1, STRIP_WIDTH // strip.shape[-1]))
        self._code, self._shares, self._image = code, shares, images[0]

    def _alt(self) -> str:
        mixed = f", {self.amount.value}% {self.end.value}" if self.amount.value else ""
        return f"Generated image: {self.start.value}{mixed}"

    def _build_controls(self) -> None:
        self.error_line = ErrorLine()
        self.picture, self.strip = ipywidgets.HTML(), ipywidgets.HTML()
        shape = {"style": {"description_width": "60px"}, "layout": {"width": "auto"}}
        self.start = ipywidgets.SelectionSlider(options=self.classes, description="class A", **shape)
        self.end = ipywidgets.SelectionSlider(
            options=self.classes, value=self.classes[1], description="class B", **shape
        )
        walk = {"min": 0, "max": 100, "step": 4}
        self.amount = ipywidgets.IntSlider(0, description="A to B, %", **walk, **shape)
        self.play = ipywidgets.Play(interval=100, **walk)
        self._link = ipywidgets.jslink((self.play, "value"), (self.amount, "value"))
        for slider in (self.start, self.end, self.amount):
            slider.observe(self.error_line.guard(self._on_slider), names="value")
            with_tooltip(slider)

    def _build_panel(self) -> None:
        new = self._button("New style", self.new_style, "Another random code; the classes stay")
        reset = self._button("Reset", self.reset, "The first code and the first two classes")
        controls = ipywidgets.VBox(
            [row_of(new, reset, self.play), self.start, self.end, self.amount, self.strip],
            layout={"flex": "1 1 330px", "max_width": "440px", "min_width": "0"},
        )
        self.picture.layout = {"margin": "2px 16px 2px 2px"}
        self.panel = ipywidgets.VBox([row_of(self.picture, controls, align="flex-start"), self.error_line.widget])

    def _on_slider(self, _: dict) -> None:
        if not self._quiet:
            self._draw(self._code)

    def __repr__(self) -> str:
        return (
            f"ClassExplorer: {len(self.classes)} classes, codes of {self.latent_dim} numbers. "
            "Run this cell for its sliders; .figure() draws it without them."
        )
