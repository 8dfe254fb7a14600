"""The methods of lesson 05 on MNIST after the same time on one core, over several seeds.

    OMP_NUM_THREADS=1 python benchmarks/wasserstein_table.py [--seconds 60] [--seeds 3] [--most N] [--out FILE]

Every method has the same generator and the same discriminator (without BatchNorm where it needs that) and the settings
of its paper, made for hours on a GPU; see methods.py. No generator is averaged. Beside them stand two recipes of the
course that were made for minutes, with larger, falling learning rates and an average: `wgan-gp-fast` with the same
networks, and `dcgan-fast` with wider ones. One thing differs from the recipes: `wgan` makes 5 critic steps throughout,
as in the paper's Algorithm 1; the 2,500 critic steps at the start of the authors' schedule would take most of a minute.

A second is one of the processor's time, which is wall time on a core that does nothing else: before each run its steps
are timed, and the run makes as many as fit into the budget. 5,000 samples of each run are judged once against the
10,000 test images. For `gan` and `wgan-gp` the file also holds D's loss and FD along the training, against 5,000 images
of the training split. Rows that the result file already holds are not run again.
"""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import replace

import torch
from table import RESULTS, missing, parser, rounded, seconds_a_step, spread, stored, write

from gan_course import data, device, methods, metrics, training

NAMES = ("gan", "lsgan", "wgan", "wgan-gp", "sngan", "r1", "relativistic-r1-r2", "wgan-gp-fast", "dcgan-fast")
RECIPES = {name: methods.RECIPES[name] for name in NAMES}
RECIPES["wgan"] = replace(RECIPES["wgan"], n_critic=5)
METRICS = ("frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage", "steps")
SAMPLES = 5_000
CURVES_OF, CURVE_POINTS, CURVE_SAMPLES = ("gan", "wgan-gp"), 15, 2_000


def main() -> None:
    """Run what is missing, at most --most rows of it, and write all rows and their summary."""
    options = parser(__doc__, RESULTS / "wasserstein_table.json")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seeds", type=int, default=3)
    arguments = options.parse_args()
    rows = stored(arguments.out)
    wanted = missing([(name, seed) for seed in range(arguments.seeds) for name in NAMES], rows, ("name", "seed"))
    if not wanted:
        return print("nothing is missing")
    torch.set_num_threads(1)
    images, test = data.load("mnist"), data.load("mnist", "test")
    extractor = metrics.extractor_for("mnist", images.image_shape, torch.device("cpu"))
    for name, seed in wanted[: arguments.most]:
        rows.append(judged_run(RECIPES[name], images, test, seed, arguments.seconds, extractor))
        print(json.dumps({key: value for key, value in rows[-1].items() if key != "curve"}), flush=True)
        write(arguments.out, summary(rows, arguments.seconds, extractor.name))


def judged_run(recipe, images, test, seed: int, seconds: float, extractor) -> dict:
    """One training and its metrics on the test split; for CURVES_OF with the curve along the way."""
    steps = int(seconds / seconds_a_step(recipe, images))
    run, curve, used = training.Run(recipe, images, seed, "cpu"), [], 0.0
    points = CURVE_POINTS if recipe.name in CURVES_OF else 1
    known = extractor(images.images[:5_000])
    for point in range(1, points + 1):
        started = time.process_time()
        training.train(run, steps=steps * point // points, log_every=5)
        used += time.process_time() - started
        if points > 1:
            curve.append(curve_point(run, used, known, extractor))
    result = metrics.compare(test.images, training.sample(run.sampler, SAMPLES, seed=1), extractor)
    row = {"name": recipe.name, "seed": seed, "steps": run.step, "images_seen": run.images_seen}
    row |= {"seconds": used, **result}
    return rounded(row) | ({"curve": curve} if curve else {})


def curve_point(run, seconds: float, known, extractor) -> dict[str, float]:
    """The critic's mean loss over about the last 20 steps, and FD now."""
    fake = extractor(data.to_uint8(training.sample(run.sampler, CURVE_SAMPLES, seed=1)))
    return {
        "step": run.step,
        "seconds": round(seconds, 2),
        "critic_loss": round(statistics.mean(row["d_loss"] for row in run.history[-4:]), 4),
        "frechet_distance": round(metrics.frechet_distance(known, fake), 2),
    }


def summary(rows: list[dict], seconds: float, features: str) -> dict:
    """The whole result: provenance, mean and standard deviation of each metric, and the rows."""
    table = {}
    for name in NAMES:
        mine = [row for row in rows if row["name"] == name]
        if mine:
            table[name] = {metric: spread([row[metric] for row in mine], 3) for metric in METRICS}
    return {
        "script": "benchmarks/wasserstein_table.py",
        "data": "mnist",
        "seconds": seconds,
        "seeds": sorted({row["seed"] for row in rows}),
        "features": features,
        "samples": SAMPLES,
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "settings": {name: recipe.settings() for name, recipe in RECIPES.items()},
        "table": table,
        "critic_curve": [
            {"name": row["name"], "seed": row["seed"], "samples": CURVE_SAMPLES, "points": row["curve"]}
            for row in rows
            if "curve" in row
        ],
        "rows": rows,
    }


if __name__ == "__main__":
    main()
