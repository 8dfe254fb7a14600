"""The translation explorer: held-out pairs before and after, and a picture of your own."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import ipywidgets
import torch

from gan_course.data.images import in_colour, to_float, to_uint8
from gan_course.data.pairs import ImagePairs
from gan_course.data.sources import read_image
from gan_course.plots import beside, tile
from gan_course.widgets.panel import Panel, with_tooltip
from gan_course.widgets.raster import ErrorLine, PlainError, device_of, img_tag, make_images, row_of, strips_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURE_WIDTH = 560  # pixels on the screen that input, output and target aim at together


class Shown(NamedTuple):
    """What is translated: uint8 (1, C, H, W) each; and what to call it. A picture of one's own may have no target."""

    inputs: torch.Tensor
    target: torch.Tensor | None
    words: str


class TranslationExplorer(Panel):
    """A slider over held-out pairs: input, output and target side by side; and a button for a picture of your own.

    The last expression of a cell shows it: `TranslationExplorer(generator, data.load("emoji-styles", "test"))`. An
    error, or a file that is no image, is shown in red; the last good picture stays.

    Args:
        generate: maps inputs (N, C, H, W) in [-1, 1] to images (N, C', H, W) in [-1, 1], C' = 1 or 3. An `nn.Module`
            runs in eval mode and gets its own mode back. What it draws from torch's random numbers is its noise; the
            button for other noise is there if that changes anything.
        pairs: held out of the training; inputs are square.
        prepare: makes an input of a colour picture, uint8 (1, 3, H, W) -> (1, C, H, W), for example `data.outlines`;
            the picture is then the target. None takes the picture itself for the input.
        seed: of the noise.
        scale: screen pixels for one pixel of an image, a whole number; None picks one that fits.
        device: where inputs go; None takes the device of `generate`'s parameters, else the CPU.

    Attributes:
        number, upload, error_line: the parts; `panel`: the box that holds them all.

    Raises:
        ValueError: there are no pairs, or the images cannot be shown; and whatever `generate` raises at first.
    """

    def __init__(
        self,
        generate: Callable[[torch.Tensor], torch.Tensor],
        pairs: ImagePairs,
        *,
        prepare: Callable[[torch.Tensor], torch.Tensor] | None = None,
        seed: int = 0,
        scale: int | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        if not pairs.paired or not len(pairs):
            raise ValueError("the explorer shows what an image should become, so it needs pairs, at least one.")
        self.pairs, self.scale = pairs.to("cpu"), scale
        self._generate, self._prepare = generate, prepare
        self._device = device_of(generate) if device is None else device
        self._first_seed = self._seed = seed
        self._shown: Shown | None = None
        self._output: torch.Tensor | None = None
        self._build_controls()
        self._build_panel()
        self._draw(self._pair(0), seed)
        if torch.equal(self._output, self._translate(self._shown.inputs, seed + 1)):
            self._noise_button.layout.display = "none"  # it has no noise

    @property
    def inputs(self) -> torch.Tensor:
        """What the generator was shown, uint8 (C, H, W)."""
        return self._shown.inputs[0].clone()

    @property
    def image(self) -> torch.Tensor:
        """What it made of it, (C', H, W) in [-1, 1], on the CPU."""
        return self._output[0].clone()

    # What the buttons do. Called from Python these raise; behind a button the error is shown instead.

    def new_noise(self) -> None:
        """Translate the same image once more, with other noise."""
        self._draw(self._shown, self._seed + 1)

    def reset(self) -> None:
        """Go back to the first pair and the first noise."""
        self._set((self.number,), (0,))
        self._draw(self._pair(0), self._first_seed)

    def open(self, content: bytes, name: str = "your picture") -> None:
        """Translate a picture of your own: its middle square, made as small as the images of the pairs.

        Args:
            content: an image file's bytes: PNG, JPEG, WebP or whatever else Pillow reads.

        Raises:
            PlainError: it cannot be read as an image.
        """
        channels, size, _ = self.pairs.input_shape
        try:
            picture = read_image(io.BytesIO(content), size, 3 if self._prepare else channels)[None]
        except Exception:  # Pillow's decoders raise nearly anything on a broken file
            raise PlainError(f"{name} cannot be read as an image: choose a PNG, JPEG or WebP file.") from None
        shown = Shown(self._prepare(picture), picture, name) if self._prepare else Shown(picture, None, name)
        self._draw(shown, self._seed)

    def figure(self, columns: int = 10) -> Figure:
        """Draw the explorer without its slider: input, output and target of pairs from the whole set, evenly.

        Returns:
            A matplotlib figure, already closed in pyplot: show it as the last expression of a cell.
        """
        numbers = torch.linspace(0, len(self.pairs) - 1, min(columns, len(self.pairs))).round().long()
        some = self.pairs.subset(numbers)
        rows = [some.inputs.images, to_uint8(self._translate(some.inputs.images, self._seed)), some.targets.images]
        images = torch.stack([in_colour(row) for row in rows])  # (3, columns, 3, H, W)
        labels = [[str(number) for number in numbers.tolist()]] * 3
        return strips_figure(images, ["input", "output", "target"], labels, f"Pairs of {self.pairs.name}, held out")

    def _translate(self, inputs: torch.Tensor, seed: int) -> torch.Tensor:
        """Images (N, C', H, W) for inputs, uint8 (N, C, H, W); torch's own random numbers are left as they were."""
        place = torch.device(self._device)
        with torch.random.fork_rng([place] if place.type == "cuda" else []):
            torch.manual_seed(seed)
            return make_images(self._generate, to_float(inputs), self._device)

    def _pair(self, number: int) -> Shown:
        one = self.pairs.subset([number])
        name = f", {one.targets.names[0]}" if one.targets.names else ""
        return Shown(one.inputs.images, one.targets.images, f"pair {number} of {len(self.pairs):,}{name}")

    def _draw(self, shown: Shown, seed: int) -> None:
        """Translate and show it. On an error nothing has changed."""
        output = self._translate(shown.inputs, seed)
        row = [shown.inputs, output] + ([] if shown.target is None else [shown.target])
        names = ("input", "output", "target")[: len(row)]
        strip = tile(beside(*row), columns=len(row), gap=2)
        scale = self.scale or max(1, PICTURE_WIDTH // (3 * output.shape[-1]))
        self.picture.value = img_tag(strip, f"Translation of {shown.words}: {', '.join(names)}", scale)
        self.caption.value = f"{shown.words}: input → output" + (" | target" if len(names) == 3 else "")
        self._shown, self._output, self._seed = shown, output, seed

    def _build_controls(self) -> None:
        self.error_line = ErrorLine()
        self.picture, self.caption = ipywidgets.HTML(), ipywidgets.Label()
        self.number = with_tooltip(
            ipywidgets.IntSlider(
                0, 0, max(1, len(self.pairs) - 1), description="held-out pair", layout={"width": "auto"}
            )
        )
        self.number.style.description_width = "90px"
        self.number.observe(self.error_line.guard(self._on_slider), names="value")
        self.upload = with_tooltip(ipywidgets.FileUpload(accept="image/*", multiple=False, description="Your picture"))
        self.upload.observe(self.error_line.guard(self._on_upload), names="value")

    def _build_panel(self) -> None:
        self._noise_button = self._button("Other noise", self.new_noise, "The same image once more, with other noise")
        reset = self._button("Reset", self.reset, "The first pair, and the first noise if there is any")
        buttons = row_of(self.upload, self._noise_button, reset)
        self.panel = ipywidgets.VBox(
            [self.number, buttons, self.picture, self.caption, self.error_line.widget],
            layout={"max_width": "620px"},
        )

    def _on_slider(self, _: dict) -> None:
        if not self._quiet:
            self._draw(self._pair(min(self.number.value, len(self.pairs) - 1)), self._seed)

    def _on_upload(self, change: dict) -> None:
        files = uploaded(change["new"])
        if files:
            self.upload.set_trait("value", type(change["new"])())  # so that the same file can be chosen again
            self.open(files[0][1], files[0][0])

    def __repr__(self) -> str:
        return (
            f"TranslationExplorer: {len(self.pairs):,} pairs of {self.pairs.name}. "
            "Run this cell for its slider; .figure() draws it without."
        )


def uploaded(value: object) -> list[tuple[str, bytes]]:
    """(name, content) of each file in a FileUpload's value: a dictionary in ipywidgets 7, a tuple in 8."""
    if isinstance(value, dict):
        return [(name, bytes(file["content"])) for name, file in value.items()]
    return [(file["name"], bytes(file["content"])) for file in value]
