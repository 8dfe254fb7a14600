"""Does mode collapse come from large updates, or from a generator that is too simple? Lesson 04's failure, varied.

    python benchmarks/collapse_causes.py [--seeds 0 1 2] [--most ROWS]

The failure `ring-collapse` of the laboratory as it is; with updates a tenth as large, and ten times as many of them, of
both players or of G alone; with a generator of fifteen times the weights; with its cure; and the cure with a generator
of a thirteenth of the weights. Rows are added to assets/results/collapse_causes.json one by one; a row that is there is
not run again.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import torch
from table import RESULTS, missing, parser, write

from gan_course import device, failures, methods, networks, training

FAILURE = failures.FAILURES["ring-collapse"]
VARIANTS = (
    "as it is",
    "updates a tenth as large",
    "G's alone a tenth as large",
    "a larger generator",
    "cured",
    "cured, a smaller generator",
)


def recipe(variant: str) -> tuple[methods.Recipe, int]:
    """The recipe of a variant, and its steps."""
    start = FAILURE.cured if variant.startswith("cured") else FAILURE.broken
    if variant.endswith("a tenth as large"):
        d_factor = 1 if "alone" in variant else 10
        rates = {"g_learning_rate": start.g_learning_rate / 10, "d_learning_rate": start.d_learning_rate / d_factor}
        return replace(start, name=variant, **rates), 10 * FAILURE.steps
    widths = {"a larger generator": (256, 256), "cured, a smaller generator": (16, 16)}.get(variant)
    if widths:
        start = replace(start, generator=lambda shape: networks.PointGenerator(2, shape[0], widths))
    return replace(start, name=variant), FAILURE.steps


def main() -> None:
    """Train and judge what is missing in the result."""
    options = parser(__doc__, RESULTS / "collapse_causes.json")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = options.parse_args()
    torch.set_num_threads(1)
    result = read(arguments.out)
    wanted = missing(itertools.product(arguments.seeds, VARIANTS), result["rows"], ("seed", "variant"))
    for seed, variant in wanted[: arguments.most]:
        row = {"variant": variant, "seed": seed} | judge(*recipe(variant), seed)
        print(json.dumps(row), flush=True)
        result["rows"].append(row)
        write(arguments.out, result)


def judge(recipe: methods.Recipe, steps: int, seed: int) -> dict:
    """Train a variant from this seed and count its modes."""
    run = training.train(training.Run(recipe, FAILURE.data, seed, "cpu"), steps=steps, log_every=10)
    numbers = {name: round(value, 4) for name, value in FAILURE.measure(run).items()}
    weights = networks.blocks.count_parameters(run.generator)
    return numbers | {"steps": steps, "generator_weights": weights, "train_seconds": round(run.seconds, 1)}


def read(path: Path) -> dict:
    """The result so far, or a new one without rows."""
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    return {
        "script": "benchmarks/collapse_causes.py",
        "failure": FAILURE.name,
        "broken": FAILURE.broken.settings(),
        "change": FAILURE.change,
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "rows": [],
    }


if __name__ == "__main__":
    main()
