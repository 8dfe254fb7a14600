"""The code explorer: set the codes of an InfoGAN by hand and watch what each of them does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ipywidgets
import torch

from gan_course.networks import Codes, InfoGANGenerator
from gan_course.plots import tile
from gan_course.widgets.latent import PICTURE_WIDTH
from gan_course.widgets.panel import Panel, with_tooltip
from gan_course.widgets.raster import ErrorLine, device_of, eval_mode, img_tag, make_images, strips_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class CodeExplorer(Panel):
    """A slider for the category and one for each continuous code; several images that share them, each its own noise.

    What changes in all the images at once is the code's doing; what they differ in is the noise's. 'New noise' draws
    others and leaves the sliders, 'Reset' goes back to the first and puts the sliders at 0.

    Args:
        generator: an InfoGANGenerator, or any module with its `parts`, `codes` and `draw`; it runs in evaluation mode.
        images: how many to show side by side.
        reach: a continuous code goes so far each way; beyond 1 the generator was never trained.
        labels: names for the continuous codes.
        seed: of the noise; the global random numbers are left alone.
        scale: screen pixels for one pixel of an image; None picks one that fits.

    Attributes:
        category, sliders, error_line: the parts; `panel`: the box that holds them all.

    Raises:
        ValueError: a wrong number of labels, or images that cannot be shown.
    """

    def __init__(
        self,
        generator: InfoGANGenerator,
        *,
        images: int = 5,
        reach: float = 1.5,
        labels: Sequence[str] | None = None,
        seed: int = 0,
        scale: int | None = None,
    ) -> None:
        self.generator, self.scale, self.reach = generator, scale, reach
        noise_dim, self.categories, count = generator.parts
        self.labels = list(labels or (f"code {number + 1}" for number in range(count)))
        if len(self.labels) != count:
            raise ValueError(f"{count} continuous codes need as many labels, not {len(self.labels)}.")
        self._rng = torch.Generator().manual_seed(seed)
        self._first = self._noise = torch.randn(images, noise_dim, generator=self._rng)
        self._images: torch.Tensor | None = None
        self._build()
        self._draw(self._first)

    @property
    def codes(self) -> Codes:
        """The codes of the images shown, on the CPU."""
        n = len(self._noise)
        values = torch.tensor([slider.value for slider in self.sliders]).expand(n, -1)
        return Codes(self._noise.clone(), torch.full((n,), self.category.value), values.clone())

    @property
    def images(self) -> torch.Tensor:
        """The images shown, (n, C, H, W) in [-1, 1], on the CPU."""
        return self._images.clone()

    def new_noise(self) -> None:
        """Take new noise; the sliders stay, so that one sees what the codes do elsewhere."""
        self._draw(torch.randn(self._first.shape, generator=self._rng))

    def reset(self) -> None:
        """Go back to the first noise, all sliders at 0."""
        controls = (self.category, *self.sliders)
        self._set(controls, (0,) * len(controls))
        self._draw(self._first)

    def figure(self, columns: int = 10, noises: int = 2) -> Figure:
        """Draw what the sliders do: for each noise a row of categories, and for each continuous code a row of values.

        The rows of values are of the category chosen.
        """
        noises = min(noises, len(self._noise))
        values, n = torch.linspace(-self.reach, self.reach, columns), len(self.sliders)
        rows, labels, below = [], [], []
        for noise in self._noise[:noises]:
            rows.append((noise, torch.arange(columns) % self.categories, torch.zeros(columns, n)))
            labels.append("category")
            below.append([str(k) for k in rows[-1][1].tolist()])
        for code, label in enumerate(self.labels):
            for noise in self._noise[:noises]:
                moved = torch.zeros(columns, n)
                moved[:, code] = values
                rows.append((noise, torch.full((columns,), self.category.value), moved))
                labels.append(label)
                below.append([f"{value:+.1f}" for value in values.tolist()])
        drawn = [self._make(Codes(noise.expand(columns, -1), category, moved)) for noise, category, moved in rows]
        title = f"One code moved at a time, {noises} noise vector{'s' * (noises > 1)}; category {self.category.value}"
        return strips_figure(torch.stack(drawn), labels, below, f"{title} in the rows of continuous codes")

    def _make(self, codes: Codes) -> torch.Tensor:
        """Images (n, C, H, W) of codes, checked, on the CPU."""
        noise_dim, place = codes.noise.shape[1], device_of(self.generator)
        packed = torch.cat([codes.noise, codes.category[:, None].float(), codes.continuous], 1)

        def draw(row: torch.Tensor) -> torch.Tensor:
            return self.generator.draw(row[:, :noise_dim], row[:, noise_dim].long(), row[:, noise_dim + 1 :])

        with eval_mode(self.generator):
            return make_images(draw, packed, place)

    def _draw(self, noise: torch.Tensor) -> None:
        """Show the images of this noise under the sliders' codes. On an error nothing has changed."""
        before, self._noise = self._noise, noise
        try:
            images = self._make(self.codes)
        except Exception:
            self._noise = before
            raise
        width = PICTURE_WIDTH if len(images) == 1 else 2 * PICTURE_WIDTH
        scale = self.scale or max(1, width // len(images) // max(images.shape[2:]))
        self.picture.value = img_tag(tile(images, len(images), gap=1), self._alt(), scale)
        self._images = images

    def _alt(self) -> str:
        values = [f"{slider.description} {slider.value:+.1f}" for slider in self.sliders]
        what = "Generated images" if len(self._noise) > 1 else "Generated image"
        return "; ".join([what, f"category {self.category.value}", *values])

    def _build(self) -> None:
        self.error_line, self.picture = ErrorLine(), ipywidgets.HTML()
        shape = {"style": {"description_width": "90px"}, "layout": {"width": "auto"}}
        self.category = ipywidgets.IntSlider(0, min=0, max=self.categories - 1, description="category", **shape)
        reach = {"min": -self.reach, "max": self.reach, "step": 0.1, "readout_format": "+.1f"}
        self.sliders = [ipywidgets.FloatSlider(0, description=label, **reach, **shape) for label in self.labels]
        for slider in (self.category, *self.sliders):
            slider.observe(self.error_line.guard(self._on_slider), names="value")
            with_tooltip(slider)
        buttons = [
            self._button("New noise", self.new_noise, "Other noise; the sliders stay"),
            self._button("Reset", self.reset, "The first noise, sliders at 0"),
        ]
        self.picture.layout = {"margin": "2px"}
        controls = ipywidgets.VBox([ipywidgets.HBox(buttons), self.category, *self.sliders])
        controls.layout = {"max_width": "420px"}
        self.panel = ipywidgets.VBox([self.picture, controls, self.error_line.widget])

    def _on_slider(self, _: dict) -> None:
        if not self._quiet:
            self._draw(self._noise)

    def __repr__(self) -> str:
        return (
            f"CodeExplorer: a category of {self.categories} and {len(self.sliders)} continuous codes. "
            "Run this cell for its sliders; .figure() draws it without them."
        )
