"""Quality after 120 seconds of training on MNIST: `dcgan-fast` against textbook.py, over several seeds.

    python benchmarks/quality_in_time.py [--seconds 120] [--seeds 3]

Run it while nothing else runs. Both train on MNIST's training split for the same wall time, data loading included;
10,000 samples of each are judged by FD (digit features) against the 10,000 test images. The settings of `dcgan-fast`
were chosen by search_dcgan_fast.py on a part of the training split. The result is written to assets/results.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import textbook
import torch
from table import RESULTS, rounded, spread, write

from gan_course import data, device, methods, metrics, training

RESULT = RESULTS / "quality_in_time.json"


def main() -> None:
    """Train in turns, judge, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    images, test = data.load("mnist", "train"), data.load("mnist", "test")
    extractor = metrics.extractor_for("mnist", images.image_shape, torch.device("cpu"))
    rows = []
    for seed in range(arguments.seeds):
        for name, trainer in (("textbook", train_textbook), ("dcgan-fast", train_fast)):
            generator, steps, batch_size = trainer(images, arguments.seconds, seed)
            result = metrics.compare(test.images, training.sample(generator, 10_000, seed=1), extractor)
            row = {"name": name, "seed": seed, "steps": steps, "images": steps * batch_size, **result}
            rows.append(rounded(row))
            print(json.dumps(rows[-1]), flush=True)
    summary = {
        name: spread([r["frechet_distance"] for r in rows if r["name"] == name], 1)
        for name in ("textbook", "dcgan-fast")
    }
    result = {
        "script": "benchmarks/quality_in_time.py",
        "seconds": arguments.seconds,
        "features": extractor.name,
        "frechet_distance": summary,
        "ratio_of_means": round(summary["textbook"]["mean"] / summary["dcgan-fast"]["mean"], 2),
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "rows": rows,
    }
    print(json.dumps({key: value for key, value in result.items() if key != "rows"}, indent=2))
    write(arguments.out, result)


def train_textbook(images, seconds: float, seed: int):
    """The textbook's generator, its steps and its batch size."""
    generator, steps = textbook.train(seconds, seed)
    return generator, steps, textbook.BATCH_SIZE


def train_fast(images, seconds: float, seed: int):
    """The averaged generator of `dcgan-fast`, its steps and its batch size."""
    recipe = methods.RECIPES["dcgan-fast"]
    run = training.train(training.Run(recipe, images, seed, "cpu"), seconds=seconds)
    return run.sampler, run.step, recipe.batch_size


if __name__ == "__main__":
    main()
