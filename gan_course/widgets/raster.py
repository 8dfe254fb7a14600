"""What every widget needs: images made, checked and shown, and errors that can be seen.

A widget shows its picture in an `ipywidgets.HTML` that holds a data-URI `<img>`. That is as fast as an
`Image` widget, works in ipywidgets 7 and 8 alike, and has an alt text.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import ipywidgets
import numpy as np
import torch
from torch import nn

from gan_course.plots import enlarged, tile, to_pil

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A tanh in bfloat16 or a resize may overshoot by a rounding error; more than this is a mistake.
RANGE_TOLERANCE = 1e-2


class PlainError(ValueError):
    """An error whose message is a plain sentence, shown as it is."""


class BadImagesError(PlainError):
    """What a generator returned cannot be shown."""


def checked_images(images: object, count: int) -> torch.Tensor:
    """Return `images` as float32 on the CPU, once they are known to be `count` images.

    Args:
        images: expected to be a float tensor (count, C, H, W) in [-1, 1], C = 1 or 3, on any device.
        count: how many images were asked for.

    Returns:
        Tensor (count, C, H, W), float32, on the CPU.

    Raises:
        BadImagesError: not a tensor, wrong type or shape, NaN or infinite, or out of range.
    """
    if not isinstance(images, torch.Tensor):
        raise BadImagesError(f"generate returned {type(images).__name__}, not a tensor of images.")
    shape = tuple(images.shape)
    if len(shape) != 4 or shape[0] != count or shape[1] not in (1, 3) or 0 in shape:
        raise BadImagesError(
            f"generate returned shape {shape} for {count} code{'s' * (count != 1)}; "
            f"it must be ({count}, C, H, W) with C = 1 or 3."
        )
    if not images.is_floating_point():
        raise BadImagesError(f"generate returned {images.dtype}; images must be float in [-1, 1].")
    images = images.detach().float().cpu()
    low, high = (value.item() for value in torch.aminmax(images))
    if not np.isfinite([low, high]).all():
        raise BadImagesError("generate returned NaN or infinite values. Did the training diverge?")
    if low < -1 - RANGE_TOLERANCE or high > 1 + RANGE_TOLERANCE:
        raise BadImagesError(
            f"generate returned values from {low:.3g} to {high:.3g}; images must lie in [-1, 1]. "
            "Does the generator end in tanh?"
        )
    return images


def device_of(generate: object) -> torch.device:
    """Where a network's parameters are; the CPU for any other callable."""
    parameter = next(generate.parameters(), None) if isinstance(generate, nn.Module) else None
    return torch.device("cpu") if parameter is None else parameter.device


@contextlib.contextmanager
def eval_mode(generate: object) -> Iterator[None]:
    """Run a network in eval mode, then give every layer its own mode back; leave other callables alone."""
    layers = generate.modules() if isinstance(generate, nn.Module) else []
    training = [layer for layer in layers if layer.training]
    for layer in training:
        layer.training = False
    try:
        yield
    finally:
        for layer in training:
            layer.training = True


def make_images(
    generate: Callable[[torch.Tensor], torch.Tensor], codes: torch.Tensor, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Images (N, C, H, W) in [-1, 1], float32 on the CPU, for codes (N, latent_dim).

    Raises:
        BadImagesError: what came back cannot be shown.
        Exception: whatever `generate` raises.
    """
    with torch.inference_mode(), eval_mode(generate):
        return checked_images(generate(codes.to(device)), len(codes))


def to_png(image: torch.Tensor, scale: int = 1) -> bytes:
    """Encode a uint8 image (C, H, W) as an opaque PNG, each pixel repeated `scale` times both ways."""
    buffer = io.BytesIO()
    enlarged(to_pil(image), scale).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def img_tag(image: torch.Tensor, alt: str, scale: int = 1) -> str:
    """Return `<img>` for a uint8 image (C, H, W): sharp pixels, `scale` times as large, no wider than the column."""
    height, width = image.shape[1:]
    data = base64.b64encode(to_png(image)).decode("ascii")
    return (
        f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}" '
        f'width="{width * scale}" height="{height * scale}" '
        'style="display: block; max-width: 100%; height: auto; '
        'background: #fff; image-rendering: pixelated">'
    )


def row_of(*children: ipywidgets.Widget, align: str = "center") -> ipywidgets.HBox:
    """Widgets side by side, in as many lines as they need."""
    return ipywidgets.HBox(children, layout={"flex_flow": "row wrap", "align_items": align})


def rows_of(values: torch.Tensor, latent_dim: int, name: str) -> torch.Tensor:
    """A float32 copy (k, latent_dim) on the CPU.

    Raises:
        ValueError: another shape, or no row at all.
    """
    values = torch.as_tensor(values).detach().float().cpu().clone()
    if values.ndim != 2 or values.shape[1] != latent_dim or len(values) == 0:
        raise ValueError(f"{name} must have shape (k, {latent_dim}), not {tuple(values.shape)}.")
    return values


def strips_figure(
    images: torch.Tensor, row_labels: Sequence[str], column_labels: Sequence[Sequence[str]], title: str
) -> Figure:
    """Draw images (rows, columns, C, H, W) in [-1, 1] as labelled strips on white.

    Args:
        row_labels: one for each row.
        column_labels: for each row, one for each column; written under the last row that has them.

    Returns:
        A matplotlib figure, closed in pyplot, so that a notebook shows it once.
    """
    import matplotlib.pyplot as plt

    rows, columns, _, height, width = images.shape
    cell = 0.85  # inches
    figure, axes = plt.subplots(
        rows,
        squeeze=False,
        figsize=(columns * cell + 1.2, rows * (cell * height / width + 0.12) + 1.0),
        facecolor="white",
        layout="constrained",
    )
    plt.close(figure)
    figure.get_layout_engine().set(hspace=0, h_pad=0.02)
    for row, axis in enumerate(axes[:, 0]):
        axis.imshow(to_pil(tile(images[row], columns, gap=1)), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axis.set_ylabel(row_labels[row], rotation=0, ha="right", va="center")
        axis.set_yticks([])
        axis.set_xticks([])
        axis.spines[:].set_visible(False)
        last_of_its_kind = row + 1 == rows or column_labels[row + 1] != column_labels[row]
        if last_of_its_kind:
            centres = [column * (width + 1) + (width - 1) / 2 for column in range(columns)]
            axis.set_xticks(centres, column_labels[row])
            axis.tick_params(length=0)
    figure.suptitle(title, fontsize="medium")
    return figure


class ErrorLine:
    """One red line in a widget, empty while all is well.

    Jupyter swallows an exception in a widget's callback: the slider moves and nothing happens. So each
    callback goes through `guard`, which shows the exception here and takes it away after the next success.

    JupyterLab also sends some messages of one widget to the kernel's main thread and others to a subshell's, so that
    callbacks can overlap. Those guarded by one line run one at a time.

    Attributes:
        widget: the `ipywidgets.HTML` to put into the layout.
        error: the exception shown, or None; `raise explorer.error` gives its whole traceback.
        lock: held while a callback runs; the same thread may take it again.
    """

    def __init__(self) -> None:
        self.widget = ipywidgets.HTML()
        self.error: Exception | None = None
        self.lock = threading.RLock()

    def guard(self, callback: Callable[..., None], clears: bool = True) -> Callable[..., None]:
        """Return a callback that never raises, waits for the others and shows here what went wrong.

        Args:
            clears: whether its success takes away the error shown; not so where no person has acted.
        """

        @functools.wraps(callback)
        def guarded(*arguments: object) -> None:
            with self.lock:
                try:
                    callback(*arguments)
                except Exception as error:  # whatever a learner's code raises must be seen
                    self.error = error
                    self.widget.value = self._message(error)
                else:
                    if clears:
                        self.error = None
                        self.widget.value = ""

        return guarded

    @staticmethod
    def _message(error: Exception) -> str:
        text = str(error).strip().split("\n")[0]
        if not isinstance(error, PlainError):
            text = f"{type(error).__name__}: {text}" if text else type(error).__name__
        return (
            '<div role="alert" style="color: #b00020; background: #fff; border: 1px solid #b00020; '
            'padding: 2px 8px; line-height: 1.4; white-space: normal; overflow-wrap: anywhere">'
            f"{html.escape(text)} (The image shown is the last good one.)</div>"
        )
