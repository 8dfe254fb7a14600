"""Static figures: grids of images, curves, a training film. Colour-blind-safe, opaque, with alt text when shown."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gan_course.data.images import in_colour, to_uint8
from gan_course.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

# Okabe and Ito's palette, without its yellow, which is hard to see on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")


def tile(images: Tensor, columns: int | None = None, gap: int = 2) -> Tensor:
    """Many images as one: uint8 (C, rows * (H + gap) - gap, columns * (W + gap) - gap), white between them.

    Args:
        images: (N, C, H, W), uint8 or float in [-1, 1].
        columns: images in a row; default: about a square.
        gap: pixels between two images.
    """
    images = (images if images.dtype == torch.uint8 else to_uint8(images)).cpu()
    n, channels, height, width = images.shape
    columns = min(n, columns or max(1, round(n**0.5)))
    rows = -(-n // columns)
    size = rows * (height + gap) - gap, columns * (width + gap) - gap
    page = torch.full((channels, *size), 255, dtype=torch.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        page[:, top : top + height, left : left + width] = image
    return page


def beside(*groups: Tensor) -> Tensor:
    """Images of several groups in turn, for a grid: the first of each group, then the second of each, and so on.

    Args:
        groups: (N, C, H, W) each, uint8 or float in [-1, 1]; for example inputs, outputs and targets.

    Returns:
        uint8 (N * groups, C, H, W); in colour where any group is.
    """
    images = [(group if group.dtype == torch.uint8 else to_uint8(group)).cpu() for group in groups]
    if any(group.shape[1] == 3 for group in images):
        images = [in_colour(group) for group in images]
    return torch.stack(images, dim=1).flatten(0, 1)


def enlarged(picture: Image, scale: int) -> Image:
    """The picture with each pixel drawn as scale x scale."""
    from PIL import Image

    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def to_pil(image: Tensor) -> Image:
    """One uint8 image (C, H, W) as a Pillow image."""
    from PIL import Image

    array = image.permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def save_grid(images: Tensor, path: str | os.PathLike, columns: int | None = None, scale: int = 2) -> None:
    """Write a grid of images as a PNG file, each pixel drawn as scale x scale."""
    content = io.BytesIO()
    enlarged(to_pil(tile(images, columns)), scale).save(content, "PNG")
    write_atomically(Path(path), content.getvalue())


def grid(images: Tensor, title: str = "", columns: int | None = None, height: float = 4.0) -> Figure:
    """A figure of a grid of images.

    Args:
        images: (N, C, H, W), uint8 or float in [-1, 1].
        height: of the picture, in inches.
    """
    page = tile(images, columns)
    shape = page.shape[2] / page.shape[1]
    figure, axes = _figure(1, width=min(height * shape, 10), height=height + (0.4 if title else 0))
    axes[0].imshow(to_pil(page), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes[0].set_title(title)
    axes[0].axis("off")
    return figure


def comparison(groups: dict[str, Tensor], columns: int | None = None, height: float = 3.5) -> Figure:
    """Several grids side by side, each under its name, for example {"real": x, "generated": g}."""
    figure, axes = _figure(len(groups), width=height * len(groups), height=height + 0.4)
    for axis, (name, images) in zip(axes, groups.items(), strict=True):
        axis.imshow(to_pil(tile(images, columns)), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(name)
        axis.axis("off")
    return figure


def strips(rows: dict[str, Tensor], columns: Sequence[str] = (), size: float = 0.62) -> Figure:
    """Rows of as many images each, with the name of each row at its left.

    Args:
        rows: {name: (N, C, H, W)}, uint8 or float in [-1, 1], of one shape.
        columns: what stands above each column; nothing if there is none.
        size: of an image, in inches.

    Raises:
        ValueError: rows of different shapes.
    """
    shapes = {name: tuple(part.shape) for name, part in rows.items()}
    if len(set(shapes.values())) != 1:
        raise ValueError(f"Rows of images of one shape (N, C, H, W) are expected, but these have {shapes}.")
    images = [part if part.dtype == torch.uint8 else to_uint8(part) for part in rows.values()]
    count, (height, width) = len(images[0]), images[0].shape[2:]
    figure, (axis,) = _figure(1, width=size * (count + 2.5), height=size * len(images) * height / width)
    page = to_pil(tile(torch.cat(images), columns=count, gap=2))
    axis.imshow(page, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    for i, name in enumerate(rows):
        axis.text(-width / 6, i * (height + 2) + height / 2, name, ha="right", va="center", fontsize=9)
    for i, name in enumerate(columns):
        axis.text(i * (width + 2) + width / 2, -height / 6, name, ha="center", va="bottom", fontsize=9)
    axis.axis("off")
    return figure


def curves(history: Sequence[dict[str, float]], title: str = "Training") -> Figure:
    """Losses, and D's mean answers to real and generated images, against steps.

    Args:
        history: a run's `.history`.
    """
    figure, axes = _figure(2, width=9, height=3.2)
    steps = [row["step"] for row in history]
    marker = "o" if len(steps) < 20 else None  # a line through one point alone would not be seen
    lines = {"d_loss": "D's loss", "g_loss": "G's loss"}, {"d_real": "D(x), real", "d_fake": "D(G(z)), generated"}
    for axis, names in zip(axes, lines, strict=True):
        for colour, style, (name, label) in zip(COLOURS, ("-", "--"), names.items(), strict=False):
            values = [row.get(name, float("nan")) for row in history]
            axis.plot(steps, values, color=colour, linestyle=style, marker=marker, markersize=4, label=label)
        axis.set_xlabel("step")
        axis.legend(frameon=False)
        axis.grid(alpha=0.3)
    axes[0].set_title(f"{title}: losses")
    axes[1].set_title(f"{title}: what D answers")
    axes[1].set_ylim(-0.02, 1.02)
    return figure


def film_strip(snapshots, frames: int = 10, images: int = 6, rows: Sequence[str] = ()) -> Figure:
    """What the same codes became as training went on: one column a moment, one row a code.

    Args:
        snapshots: a training.Snapshots callback after a run.
        rows: what stands at the left of each row; nothing if there is none.
    """
    stack = snapshots.stack()
    chosen = torch.linspace(0, len(stack) - 1, min(frames, len(stack))).round().long().tolist()
    figure, axes = _figure(len(chosen), width=0.85 * len(chosen), height=0.75 * images + 0.4)
    for axis, index in zip(axes, chosen, strict=True):
        axis.imshow(to_pil(tile(stack[index, :images], columns=1)), cmap="gray", vmin=0, vmax=255)
        axis.set_title(f"step {snapshots.steps[index]}\n{snapshots.seconds[index]:.1f} s", fontsize=8)
        axis.axis("off")
    bottom, top = axes[0].get_ylim()
    for i, name in enumerate(rows):
        middle = top + (bottom - top) * (i + 0.5) / min(images, stack.shape[1])
        axes[0].text(-3, middle, name, ha="right", va="center", fontsize=8)
    return figure


def film(
    snapshots, path: str | os.PathLike, columns: int | None = None, scale: int = 3, milliseconds: int = 200
) -> None:
    """Write a training film as an animated GIF that rests on its last frame.

    Args:
        snapshots: a training.Snapshots callback after a run.
    """
    frames = [enlarged(to_pil(tile(frame, columns)), scale) for frame in snapshots.stack()]
    durations = [milliseconds] * (len(frames) - 1) + [2000]
    content = io.BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    write_atomically(Path(path), content.getvalue())


def show(figure: Figure, alt: str = "") -> None:
    """Display a figure in a notebook with a text for those who cannot see it.

    Args:
        alt: what the figure shows, in a sentence; a figure of a lesson must have one.
    """
    from IPython.display import Image, display

    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110, facecolor="white", bbox_inches="tight", pad_inches=0.05)
    display(Image(data=content.getvalue(), format="png", alt=alt))


def _figure(columns: int, width: float, height: float):
    """A figure that pyplot does not know, so that it is drawn only where it is shown; and its axes in a list."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    return figure, list(axes)
