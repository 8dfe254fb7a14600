"""What the GAN stepper shows: its picture as HTML, the same as a figure, and the same in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gan_course.widgets import raster_2d
from gan_course.widgets.raster_2d import FAKE_COLOUR, FIRST_COLOUR, REAL_COLOUR, SECOND_COLOUR, to_rgb
from gan_course.widgets.stepper_game import Game
from gan_course.widgets.stepper_look import Look, Onlooker, Scale, scale_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAP_WIDTH, WARP_WIDTH = 400, 250  # pixels on the screen


def maps(game: Game, onlooker: Onlooker, look: Look) -> tuple[np.ndarray, np.ndarray]:
    """Both pictures as colour numbers: the game on D's map, (800, 800), and the warped grid, (500, 500)."""
    window, scale = onlooker.window, scale_of(game.run.loss)
    main = raster_2d.draw_game(window, look.answers, onlooker.real, look.fake, look.push, middle=scale.has_middle)
    warp = raster_2d.draw_warp(window._replace(side=2 * WARP_WIDTH), look.first, look.second, onlooker.real)
    return main, warp


def numbers(game: Game, look: Look) -> dict[str, str]:
    """The numbers under the picture, by name."""
    measured = {name: f"{value:.3g}" for name, value in game.measured.items()}
    found = {
        "steps of D": f"{game.d_steps:,}",
        "steps of G": f"{game.g_steps:,}",
        "D's loss": measured.get("d_loss", "–"),
        "G's loss": measured.get("g_loss", "–"),
        "median push": f"{look.push.norm(dim=1).median().item():.2g}",
    }
    if look.modes is not None:
        found |= {
            "modes captured": f"{look.modes.modes} of {look.centers}",
            "high quality": f"{look.modes.high_quality:.1%}",
            "KL from even": "–" if np.isnan(look.modes.kl) else f"{look.modes.kl:.3f}",
        }
    return found | {"fakes out of view": f"{look.outside} of {len(look.fake)}"}


def alt(game: Game, look: Look) -> str:
    """The picture in words: the data, who has moved how often, what D answers, what the fakes do."""
    recipe = game.recipe
    penalty = f", penalty {recipe.penalty.__name__.replace('_', ' ')}" if recipe.penalty else ""
    parts = [
        f"A GAN on the data '{game.data.name}' with the loss {game.run.loss.name.replace('_', ' ')}{penalty}",
        "; ".join(f"{name} {value}" for name, value in numbers(game, look).items() if value != "–"),
    ]
    if "d_real" in game.measured:
        answers = f"{game.measured['d_real']:.2f} to real and {game.measured['d_fake']:.2f} to generated points"
        parts.append(f"D answers {answers} on average")
    return ". ".join(parts) + "."


def page(game: Game, onlooker: Onlooker, look: Look) -> str:
    """The picture as HTML: map and legend; beside them, or below in a narrow page, the warped grid and numbers."""
    main, warp = maps(game, onlooker, look)
    main_tag = raster_2d.page_tag(main, alt(game, look), MAP_WIDTH)
    warp_tag = raster_2d.page_tag(warp, "What the generator makes of a square grid of codes", WARP_WIDTH)
    rows = "".join(
        f'<tr><td style="padding-right: 12px">{name}</td><td style="text-align: right">{value}</td></tr>'
        for name, value in numbers(game, look).items()
    )
    return (
        '<div style="display: flex; flex-wrap: wrap; gap: 4px 16px; line-height: 1.35">'
        f'<div style="max-width: 100%; width: {MAP_WIDTH}px">{main_tag}{_legend(scale_of(game.run.loss))}</div>'
        f'<div style="max-width: 100%; width: {WARP_WIDTH}px">{warp_tag}{_warp_legend()}'
        f'<table style="margin-top: 6px; border-collapse: collapse; font-variant-numeric: tabular-nums">{rows}</table>'
        "</div></div>"
    )


def _mark(colour: str, sign: str) -> str:
    return f'<span style="color: {colour}; background: #fff; padding: 0 2px" aria-hidden="true">{sign}</span>'


def _legend(scale: Scale) -> str:
    bar = ", ".join(raster_2d.MAP_ANCHORS)
    line = "; grey line: half-way" if scale.has_middle else ""
    return (
        f"<div>{_mark(REAL_COLOUR, '●')} real &nbsp;{_mark(FAKE_COLOUR, '■')} generated (fake) "
        f"&nbsp;{_mark('#000', '→')} push on a fake</div>"
        f'<div>{scale.low} <span style="display: inline-block; width: 90px; height: 10px; '
        f'background: linear-gradient(to right, {bar})"></span> {scale.high}{line}</div>'
    )


def _warp_legend() -> str:
    return (
        f"<div>G on a grid of codes: {_mark(FIRST_COLOUR, '━')} z<sub>1</sub> {_mark(SECOND_COLOUR, '━')} z<sub>2</sub>"
        "</div>"
    )


def figure(game: Game, onlooker: Onlooker, look: Look) -> Figure:
    """The same two pictures on axes, with a legend and a title that says the numbers."""
    from matplotlib.lines import Line2D

    from gan_course.plots_2d import panels

    window, scale = onlooker.window, scale_of(game.run.loss)
    drawing, axes = panels(2, width=4.6, height=5.4)
    extent = (window.x - window.half, window.x + window.half, window.y - window.half, window.y + window.half)
    for axis, picture in zip(axes, maps(game, onlooker, look), strict=True):
        axis.imshow(to_rgb(picture), extent=extent)
        axis.set_xlabel("x1")
    axes[0].set_ylabel("x2")
    axes[0].set_title(f"pink: {scale.low}; green: {scale.high}", fontsize="small")
    axes[1].set_title("G on a square grid of codes", fontsize="small")
    marks = (("o", REAL_COLOUR, "real"), ("s", FAKE_COLOUR, "generated"), (r"$\rightarrow$", "black", "push"))
    handles = [Line2D([], [], marker=sign, color=colour, linestyle="", label=name) for sign, colour, name in marks]
    axes[0].legend(handles=handles, loc="lower left", fontsize="x-small", ncols=3, framealpha=0.9)
    codes = ((FIRST_COLOUR, "z1 moves"), (SECOND_COLOUR, "z2 moves"))
    handles = [Line2D([], [], color=colour, label=name) for colour, name in codes]
    axes[1].legend(handles=handles, loc="lower left", fontsize="x-small", ncols=2, framealpha=0.9)
    found = [f"{name} {value}" for name, value in numbers(game, look).items() if value != "–"]
    half = -(-len(found) // 2)
    drawing.suptitle(" · ".join(found[:half]) + "\n" + " · ".join(found[half:]), fontsize="small")
    return drawing
