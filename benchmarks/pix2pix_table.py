"""L1 alone, the GAN alone, both, and both without skip connections: pix2pix on two sets of pairs, over several seeds.

    OMP_NUM_THREADS=1 python benchmarks/pix2pix_table.py [--steps 2000] [--seeds 3] [--sets ...] [--most N]

The sets are outline to emoji, and one style of emoji to another. Every run makes the same number of steps, so that L1
alone, which trains no discriminator, takes half of the time. Each is judged once, on the test pairs: PSNR, SSIM, L1,
pixels that match and the distance of the emoji features to the true answer, with the gain over a copy of the input, and
the sharpness, fine detail against the targets'. The row "copy" is the input itself. For seed 0 the answers to 16 test
pairs are kept as one picture a row beside the result file. Rows that the result file already holds are not run again.
"""

from __future__ import annotations

import io
import itertools
import json
import time
from pathlib import Path

import torch
from table import RESULTS, before, missing, parser, spread, write

from gan_course import data, device, methods, metrics, plots, training
from gan_course.files import write_atomically

NAMES = ("pix2pix-l1", "pix2pix-gan", "pix2pix", "pix2pix-no-skips")
METRICS = ("psnr", "ssim", "l1", "pixel_accuracy", "feature_distance", "sharpness")
SHOWN = 16


def main() -> None:
    """Run what is missing, at most --most rows of it, and write all rows and their summary."""
    options = parser(__doc__, RESULTS / "pix2pix_table.json")
    options.add_argument("--steps", type=int, default=2_000)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--sets", nargs="+", default=data.PAIRS)
    arguments = options.parse_args()
    rows = before(arguments.out, steps=arguments.steps)["rows"]
    wanted = [(0, set_name, "copy") for set_name in arguments.sets]
    wanted += itertools.product(range(arguments.seeds), arguments.sets, NAMES)
    torch.set_num_threads(1)
    for seed, set_name, name in missing(wanted, rows, ("seed", "data", "name"))[: arguments.most]:
        row = {"name": name, "data": set_name, "seed": seed}
        rows.append(row | judged(name, set_name, seed, arguments.steps, arguments.out.with_suffix("")))
        print(json.dumps(rows[-1]), flush=True)
        write(arguments.out, summary(rows, arguments.steps))


def judged(name: str, set_name: str, seed: int, steps: int, pictures: Path) -> dict:
    """One training and its scores on the test pairs; or the scores of the inputs as they are."""
    test = data.load(set_name, "test")
    if name == "copy":
        (row,), _ = metrics.compare_translations({}, test)
        return {metric: round(row[metric], 4) for metric in METRICS}
    run = training.Run(methods.RECIPES[name], data.load(set_name), seed, "cpu")
    started = time.process_time()
    training.train(run, steps=steps)
    seconds = time.process_time() - started
    (_, row), images = metrics.compare_translations({name: run.sampler}, test)
    if seed == 0:
        save_row(images[name][shown(test)], pictures / f"{set_name}-{name}.png")
    gains = {
        score: {key: round(value, 4) for key, value in gain.items()} for score, gain in row["over_copying"].items()
    }
    scores = {metric: round(row[metric], 4) for metric in METRICS}
    return {"seconds": round(seconds, 1), "features": row["features"], **scores, "over_copying": gains}


def shown(test: data.ImagePairs) -> torch.Tensor:
    """Row numbers of the test pairs whose answers are kept: evenly over the whole set."""
    return torch.linspace(0, len(test) - 1, SHOWN).long()


def save_row(images: torch.Tensor, path: Path) -> None:
    """Images side by side, without a gap, as a PNG: it can be cut up again."""
    content = io.BytesIO()
    plots.to_pil(plots.tile(images, columns=len(images), gap=0)).save(content, "PNG")
    write_atomically(path, content.getvalue())


def summary(rows: list[dict], steps: int) -> dict:
    """The whole result: provenance, mean and standard deviation of each metric, and the rows."""
    table = []
    for set_name, name in itertools.product(data.PAIRS, ("copy", *NAMES)):
        mine = [row for row in rows if (row["data"], row["name"]) == (set_name, name)]
        if mine:
            spreads = {metric: spread([row[metric] for row in mine]) for metric in METRICS}
            table.append({"data": set_name, "name": name, "seeds": len(mine), **spreads})
    return {
        "script": "benchmarks/pix2pix_table.py",
        "steps": steps,
        "shown": shown(data.load(data.PAIRS[0], "test")).tolist(),
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "settings": {name: methods.RECIPES[name].settings() for name in NAMES},
        "table": table,
        "rows": rows,
    }


if __name__ == "__main__":
    main()
