"""What a run or a checkpoint shows: sample pictures; the numbers of `evaluate` as text and as one HTML page."""

from __future__ import annotations

import base64
import html as escape_html
from collections.abc import Sequence

from torch import Tensor

SAMPLE_COLUMNS = {
    "checkpoint": "checkpoint",
    "frechet_distance": "FD",
    "kernel_distance": "KD",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}
PAIR_COLUMNS = {
    "checkpoint": "checkpoint",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "l1": "L1",
    "pixel_accuracy": "pixels",
    "feature_distance": "features",
    "sharpness": "sharpness",
}
SAMPLE_NOTE = (
    "FD and KD: Frechet and kernel distance, lower is better. Precision and density: fidelity; recall and coverage: "
    "variety; higher is better."
)
PAIR_NOTE = (
    "PSNR (dB), SSIM, and pixels, the share that matches to within 16 of 255: higher is better. L1 and the distance of "
    "the features: lower is better. Sharpness: fine detail against the targets', 1 is as sharp, below it blurred."
)


def text(rows: Sequence[dict]) -> str:
    """A table for the terminal, of samples or of translations, with last lines that say what was compared."""
    columns = _columns(rows)
    table = [list(columns.values()), *([_cell(row[key]) for key in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for line in table:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells))
    return "\n".join([*lines, "", *(_gains(row) for row in rows if "over_copying" in row), _basis(rows[0])])


def html(rows: Sequence[dict], pictures: dict[str, Tensor]) -> str:
    """The same table and a grid of images a checkpoint, self-contained.

    Args:
        pictures: a name and images (N, C, H, W) each; the real ones first.
    """
    columns, note = _columns(rows), PAIR_NOTE if _has_pairs(rows[0]) else SAMPLE_NOTE
    head = "".join(f"<th>{title}</th>" for title in columns.values())
    body = "".join("<tr>" + "".join(f"<td>{_text(_cell(row[key]))}</td>" for key in columns) + "</tr>" for row in rows)
    note = " ".join([note, *(_gains(row) for row in rows if "over_copying" in row)])
    figures = "".join(_picture(name, images) for name, images in pictures.items())
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>GAN evaluation on {_text(rows[0]["data"])}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
body {{ color: #222; background: #fff }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ padding: .4rem .8rem; text-align: right; border-bottom: 1px solid #ccc }}
th:first-child, td:first-child {{ text-align: left }}
figure {{ display: inline-block; margin: 1rem 1rem 0 0 }}
img {{ image-rendering: pixelated; width: 16rem; border: 1px solid #ccc }}
</style>
<h1>GAN evaluation on {_text(rows[0]["data"])}</h1>
<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>
<p>{_text(note)}</p><p>{_text(_basis(rows[0]))}</p>
{figures}
</html>
"""


def _has_pairs(row: dict) -> bool:
    return "psnr" in row


def _columns(rows: Sequence[dict]) -> dict[str, str]:
    return PAIR_COLUMNS if _has_pairs(rows[0]) else SAMPLE_COLUMNS


def _gains(row: dict) -> str:
    """How much better than a copy of the input, with its 95 % intervals."""
    gains = ", ".join(
        f"{PAIR_COLUMNS[score]} {_signed(gain['mean'])} ({_signed(gain['low'])} to {_signed(gain['high'])})"
        for score, gain in row["over_copying"].items()
    )
    return f"{row['checkpoint']} against a copy of the input, above 0 where it is better: {gains}."


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _basis(row: dict) -> str:
    if _has_pairs(row):
        return (
            f"On {row['pairs']:,} pairs of {row['data']}'s test split, with {row['features']} (seed {row['seed']}); "
            "in brackets the 95 % bootstrap interval over the pairs."
        )
    return (
        f"On {row['features']}: {row['fake_images']:,} generated images (seed {row['seed']}) against "
        f"{row['real_images']:,} real ones of {row['data']}'s test split."
    )


def _cell(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"


def _text(value: str) -> str:
    return escape_html.escape(value)


def _picture(name: str, images: Tensor) -> str:
    import io

    from gan_course import plots

    content = io.BytesIO()
    plots.to_pil(plots.tile(images)).save(content, "PNG")
    source = base64.b64encode(content.getvalue()).decode()
    alt = f"A grid of {len(images)} images: {name}"
    return (
        f'<figure><img alt="{_text(alt)}" src="data:image/png;base64,{source}">'
        f"<figcaption>{_text(name)}</figcaption></figure>"
    )


def samples_of(run) -> tuple[Tensor, int | None]:
    """What samples.png of a run shows, and in how many columns (None for a square).

    Samples; or test inputs, their translations and the targets; or training images, brought to each domain.
    """
    from gan_course import data, plots, training

    if hasattr(run.sampler, "input_shape") and hasattr(run.sampler, "classes"):
        images = run.data.subset([i * (len(run.data) - 1) // 15 for i in range(16)]).images
        domains = [training.translate(run.sampler, images, labels=label) for label in range(run.sampler.classes)]
        return plots.beside(images, *domains), 1 + len(domains)
    if not run.recipe.translation:
        return training.sample(run.sampler, 64, run.seed), None
    pairs = data.load(run.data.name, "test")
    pairs = pairs.subset(range(0, len(pairs), len(pairs) // 32)[:32])
    outputs = training.translate(run.sampler, pairs.inputs.images, run.seed)
    return plots.beside(pairs.inputs.images, outputs, pairs.targets.images), 12
