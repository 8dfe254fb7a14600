"""What each rule of the DCGAN paper is worth on MNIST: one is broken at a time, over several seeds.

    python benchmarks/dcgan_rules.py [NAME ...] [--seeds 0 1 2]

Each variant trains for the same number of steps, so that a busy machine changes only how long it takes. The base keeps
the paper's rules, loss, beta1 and initialisation; it is narrower, its batches are smaller and its learning rate is five
times the paper's, so that a short run gets somewhere. These were fixed before the first run and nothing was tuned after
it; the test split judges once, by FD (digit features) of 5,000 samples against its first 5,000 digits. Rows are added
to assets/results/dcgan_rules.json one by one; a variant and seed that is there is not run again (delete the file for
that).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from gan_course import data, device, methods, metrics, training
from gan_course.files import write_atomically
from gan_course.networks.ablations import VARIANTS, AblationDiscriminator, AblationGenerator

RESULT = Path(methods.__file__).parent / "assets" / "results" / "dcgan_rules.json"
STEPS = 500
SAMPLES = 5_000
WIDTH = 16
SETTINGS = {"batch_size": 32, "g_learning_rate": 1e-3, "d_learning_rate": 1e-3, "betas": (0.5, 0.999)}


def recipe(name: str) -> methods.Recipe:
    """The base recipe with the rule of this variant broken."""
    variant = VARIANTS[name]
    return replace(
        methods.RECIPES["dcgan"],
        name=name,
        generator=partial(AblationGenerator, width=WIDTH, **variant.generator),
        discriminator=partial(AblationDiscriminator, width=WIDTH, **variant.discriminator),
        **(SETTINGS | variant.settings),
    )


def main() -> None:
    """Train and judge what is missing in the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images, test = data.load("mnist", "train"), data.load("mnist", "test").images[:SAMPLES]
    extractor = metrics.extractor_for("mnist", images.image_shape, torch.device("cpu"))
    real = extractor(test)
    for seed in arguments.seeds:
        for name in arguments.names:
            result = read(arguments.out)
            if any((row["name"], row["seed"]) == (name, seed) for row in result["rows"]):
                continue
            row = judge(name, seed, images, extractor, real)
            print(json.dumps(row), flush=True)
            result["rows"].append(row)
            write_atomically(arguments.out, (json.dumps(result, indent=2) + "\n").encode())


def judge(name: str, seed: int, images, extractor, real) -> dict:
    """One row: a variant, trained from this seed and judged; FD is None if a loss was no longer a number."""
    run = training.Run(recipe(name), images, seed, "cpu")
    try:
        training.train(run, steps=STEPS)
        drawn = data.to_uint8(training.sample(run.sampler, SAMPLES, seed=1))
        distance = round(metrics.frechet_distance(real, extractor(drawn)), 1)
    except FloatingPointError:
        distance = None
    return {"name": name, "seed": seed, "frechet_distance": distance, "seconds": round(run.seconds, 1)}


def read(path: Path) -> dict:
    """The result so far, or a new one without rows."""
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    return {
        "script": "benchmarks/dcgan_rules.py",
        "steps": STEPS,
        "width": WIDTH,
        "settings": SETTINGS,
        "features": "digit features",
        "samples": SAMPLES,
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "rows": [],
    }


if __name__ == "__main__":
    main()
