"""Pictures of a GAN on points of the plane, drawn straight into pixels: a frame of the stepper takes milliseconds.

Every picture is an array of colour numbers, one byte a pixel, which a PNG stores as it is. That is a third of the
bytes of true colour, and no colour is mixed: a test can ask which colour a pixel has.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from gan_course.plots import COLOURS

# ColorBrewer's PiYG without its dark ends, on which points could not be seen: pink for generated, green for real.
MAP_ANCHORS = ("#de77ae", "#f1b6da", "#fde0ef", "#f7f7f7", "#e6f5d0", "#b8e186", "#7fbc41")
MAP_LEVELS = 21
WHITE, BLACK, GREY, REAL, FAKE, FIRST, SECOND, PALE = range(MAP_LEVELS, MAP_LEVELS + 8)
REAL_COLOUR, FAKE_COLOUR, FIRST_COLOUR, SECOND_COLOUR = COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[3]
PALE_COLOUR = "#b9c7d6"


class Window(NamedTuple):
    """The square of the plane that is shown: its middle (x, y), half its side, and its side in pixels."""

    x: float
    y: float
    half: float
    side: int

    def pixels(self, points: Tensor) -> np.ndarray:
        """Columns and rows (..., 2), not rounded, of points (..., 2); row 0 is at the top. Far points are cut."""
        middle = torch.tensor([self.x, self.y])
        unit = ((points - middle) / (2 * self.half)).clamp(-50, 50) + 0.5
        unit[..., 1] = 1 - unit[..., 1]
        return (unit * (self.side - 1)).numpy()

    def inside(self, points: Tensor) -> Tensor:
        """Which of the points (N, 2) are shown, (N,)."""
        return ((points - torch.tensor([self.x, self.y])).abs() <= self.half).all(1)

    def grid(self, count: int) -> Tensor:
        """count x count points from edge to edge, (count * count, 2), row by row from the top."""
        line = torch.linspace(-self.half, self.half, count)
        y, x = torch.meshgrid(self.y - line, self.x + line, indexing="ij")
        return torch.stack([x, y], dim=-1).reshape(-1, 2)


def window_around(points: Tensor, side: int, margin: float = 1.35) -> Window:
    """A window that shows points (N, 2) and the origin, where untrained generators start, with some space around."""
    low, high = points.amin(0).clamp_max(0), points.amax(0).clamp_min(0)
    middle = (low + high) / 2
    half = margin * ((high - low).max().item() / 2)
    return Window(middle[0].item(), middle[1].item(), max(half, 0.1), side)


def draw_game(
    window: Window, answers: Tensor, real: Tensor, fake: Tensor, push: Tensor, arrows: int = 48, middle: bool = True
) -> np.ndarray:
    """D as a map, real points (round), fake points (square), and arrows along which the first fakes are pushed.

    Args:
        answers: what D says on `window.grid(count)`, (count, count) in [0, 1]: 0 pink, 1 green.
        real, fake: points (K, 2) and (N, 2).
        push: (N, 2), minus the gradient of G's loss by each fake.
        arrows: how many fakes get one. A push p is drawn with length p / (1 + p) of an eighth of the window, p being
            measured in half windows: a weak push is short, and the strongest still fits.
        middle: whether to draw the line on which `answers` is one half.

    Returns:
        Colour numbers, uint8 (side, side).
    """
    picture = _draw_map(answers, window.side, middle)
    draw = ImageDraw.Draw(picture)
    unit = max(1, round(window.side / 400))  # pixels for one on the screen
    _draw_points(draw.ellipse, window.pixels(real), 1.5 * unit, REAL, WHITE)
    _draw_points(draw.rectangle, window.pixels(fake), 1.5 * unit, FAKE, WHITE)
    _draw_arrows(draw, window, fake[:arrows], push[:arrows], unit)
    return np.asarray(picture)


def draw_warp(window: Window, first: Tensor, second: Tensor, real: Tensor) -> np.ndarray:
    """What a generator makes of a square grid of codes: one colour for each of its two families of lines.

    Args:
        first, second: (lines, points, 2): lines along which the second, or the first, number of the code moves.
        real: points (K, 2), drawn pale underneath.

    Returns:
        Colour numbers, uint8 (side, side).
    """
    picture = _to_picture(np.full((window.side, window.side), WHITE, dtype=np.uint8))
    draw = ImageDraw.Draw(picture)
    unit = max(1, round(window.side / 250))
    _draw_points(draw.ellipse, window.pixels(real), unit, PALE)
    for lines, colour in ((first, FIRST), (second, SECOND)):
        for line in window.pixels(lines):
            draw.line(line.ravel().tolist(), fill=colour, width=unit)
    return np.asarray(picture)


def _draw_map(answers: Tensor, side: int, middle: bool) -> Image.Image:
    """Answers (count, count) in [0, 1], smoothed, as steps of colour, whose edges are level lines; side x side."""
    fine = side // 2  # half the pixels are enough for a map, and four times as fast
    smooth = F.interpolate(answers[None, None].float(), size=(fine, fine), mode="bilinear", align_corners=True)[0, 0]
    page = (smooth * (MAP_LEVELS - 1) + 0.5).to(torch.uint8).numpy()
    if middle:
        above = (smooth > 0.5).numpy()
        edge = (above[:-1, :-1] != above[1:, :-1]) | (above[:-1, :-1] != above[:-1, 1:])
        page[:-1, :-1][edge] = GREY
    return _to_picture(page).resize((side, side), Image.Resampling.NEAREST)


def _draw_points(shape: Callable[..., None], pixels: np.ndarray, radius: float, colour: int, rim: int | None = None):
    """A shape around each pixel (N, 2), with a rim behind them all, so that crowded points do not hide each other."""
    for size, fill in ((radius + 1.5, rim), (radius, colour)):
        for x, y in pixels.tolist() if fill is not None else ():
            shape((x - size, y - size, x + size, y + size), fill=fill)


def _draw_arrows(draw: ImageDraw.ImageDraw, window: Window, start: Tensor, push: Tensor, unit: int) -> None:
    strength = push.norm(dim=1, keepdim=True) * window.half
    reach = push / push.norm(dim=1, keepdim=True).clamp_min(1e-20) * strength / (1 + strength) * (window.half / 4)
    tails, heads = window.pixels(start), window.pixels(start + reach)
    for (x, y), (end_x, end_y) in zip(tails.tolist(), heads.tolist(), strict=True):
        length = ((end_x - x) ** 2 + (end_y - y) ** 2) ** 0.5
        if length < unit:
            continue
        along, across = (end_x - x) / length, (end_y - y) / length
        head = min(6 * unit, length)
        base_x, base_y = end_x - head * along, end_y - head * across
        wide = 0.45 * head
        draw.line((x, y, base_x, base_y), fill=BLACK, width=unit)
        corners = (base_x - wide * across, base_y + wide * along, base_x + wide * across, base_y - wide * along)
        draw.polygon((end_x, end_y, *corners), fill=BLACK)


def _to_picture(page: np.ndarray) -> Image.Image:
    picture = Image.frombytes("P", page.shape[::-1], page.tobytes())
    picture.putpalette(PALETTE.tobytes())
    return picture


def to_rgb(page: np.ndarray) -> np.ndarray:
    """Colour numbers (H, W) as colours, uint8 (H, W, 3)."""
    return PALETTE[page]


def page_tag(page: np.ndarray, alt: str, width: int) -> str:
    """`<img>` for colour numbers (H, W), `width` screen pixels wide and no wider than the column."""
    content = io.BytesIO()
    _to_picture(page).save(content, format="PNG", compress_level=1)
    data = base64.b64encode(content.getvalue()).decode("ascii")
    return (
        f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}" width="{width}" '
        f'height="{round(width * page.shape[0] / page.shape[1])}" decoding="sync" '
        'style="display: block; max-width: 100%; height: auto; background: #fff">'
    )


def _palette() -> np.ndarray:
    """The colours, uint8 (colours, 3), of the numbers that stand in a page."""

    def rgb(colour: str) -> list[int]:
        return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]

    anchors = np.array([rgb(colour) for colour in MAP_ANCHORS], dtype=float)
    where = np.linspace(0, len(anchors) - 1, MAP_LEVELS)
    levels = [np.interp(where, range(len(anchors)), channel) for channel in anchors.T]
    rest = ("#ffffff", "#000000", "#606060", REAL_COLOUR, FAKE_COLOUR, FIRST_COLOUR, SECOND_COLOUR, PALE_COLOUR)
    return np.concatenate([np.stack(levels, axis=1).round(), [rgb(colour) for colour in rest]]).astype(np.uint8)


PALETTE = _palette()
