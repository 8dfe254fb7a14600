"""Quality after the same wall time: the recipes `vanilla`, `dcgan` and `dcgan-fast` on MNIST and on Fashion-MNIST.

    python benchmarks/equal_time.py [--seconds 120] [--seeds 0 1 2] [--most ROWS]

Run it while nothing else runs. The recipes take turns, so that a slow minute of the machine hits all three. Each is
judged once on the test split: Frechet and kernel distance, precision and recall of as many samples as there are test
images, at most 2,000. The result is written to assets/results/equal_time.json after every run, and rows that it already
holds are not run again: stop the script when you like, and start it again. `--most` ends it after so many new rows.
"""

from __future__ import annotations

import itertools
import json
import statistics

import torch
from table import RESULTS, missing, parser, spread, write

from gan_course import data, device, methods, metrics, training

RECIPES = ("vanilla", "dcgan", "dcgan-fast")
SETS = ("mnist", "fashion")
SAMPLES = 2_000
METRICS = ("frechet_distance", "kernel_distance", "precision", "recall")


def main() -> None:
    """Train in turns, judge, print, and write the result."""
    options = parser(__doc__, RESULTS / "equal_time.json")
    options.add_argument("--seconds", type=float, default=120)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = options.parse_args()
    result = {
        "script": "benchmarks/equal_time.py",
        "seconds": arguments.seconds,
        "seeds": arguments.seeds,
        "samples": SAMPLES,
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "recipes": {name: methods.RECIPES[name].settings() for name in RECIPES},
        "rows": [],
    }
    if arguments.out.exists():
        before = json.loads(arguments.out.read_text(encoding="utf-8"))
        if any(before[key] != json.loads(json.dumps(result[key])) for key in result if key != "rows"):
            raise SystemExit(f"{arguments.out} was made with other settings: move it away, or give another --out.")
        result["rows"] = before["rows"]
    sets = {name: (data.load(name, "train"), data.load(name, "test").images[:SAMPLES]) for name in SETS}
    wanted = itertools.product(arguments.seeds, SETS, RECIPES)
    wanted = missing(wanted, result["rows"], ("seed", "data", "recipe"))
    for seed, set_name, name in wanted[: arguments.most]:
        images, test = sets[set_name]
        row = {"data": set_name, "recipe": name, "seed": seed}
        row |= judge(name, images, test, arguments.seconds, seed)
        print(json.dumps(row), flush=True)
        result["rows"].append(row)
        result["summary"] = summary(result["rows"])
        write(arguments.out, result)


def judge(name: str, images, test: torch.Tensor, seconds: float, seed: int) -> dict:
    """Train one recipe for this long, and compare what it draws with the test images."""
    run = training.train(training.Run(methods.RECIPES[name], images, seed, "cpu"), seconds=seconds)
    extractor = metrics.extractor_for(images.name, images.image_shape, torch.device("cpu"))
    compared = metrics.compare(test, training.sample(run.sampler, len(test), seed=1), extractor)
    row = {"steps": run.step, "images_seen": run.step * run.recipe.batch_size * run.recipe.n_critic}
    row |= {"train_seconds": round(run.seconds, 2), "features": compared["features"]}
    return row | {metric: round(compared[metric], 4) for metric in METRICS}


def summary(rows: list[dict]) -> list[dict]:
    """Mean and standard deviation of every metric over the seeds, one row for a data set and recipe."""
    table = []
    for set_name in SETS:
        for name in RECIPES:
            mine = [row for row in rows if (row["data"], row["recipe"]) == (set_name, name)]
            if mine:
                spreads = {metric: spread([row[metric] for row in mine]) for metric in METRICS}
                steps = round(statistics.mean(row["steps"] for row in mine))
                table.append({"data": set_name, "recipe": name, "seeds": len(mine), "steps": steps, **spreads})
    return table


if __name__ == "__main__":
    main()
