"""The search that chose the settings of `dcgan-fast`: quality in a fixed amount of work on the CPU.

    python benchmarks/search_dcgan_fast.py [NAME ...] [--budget 60] [--seed 0]

Each candidate trains on the first 50,000 digits of MNIST's training split for the same CPU time on one thread, and is
judged by FD (digit features) of 10,000 samples against the last 10,000 of the training split. The test split is not
touched. Every result is a line of assets/results/search_dcgan_fast.jsonl. CPU time and not wall time, so that other
programs on the machine disturb the comparison less.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import torch

from gan_course import data, methods, metrics, training

RESULTS = Path(methods.__file__).parent / "assets" / "results" / "search_dcgan_fast.jsonl"
SKETCH = methods.Recipe(
    name="sketch",
    source="the starting point of the search",
    generator=methods.dcgan_generator(16),
    discriminator=methods.dcgan_discriminator(16),
    batch_size=64,
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    betas=(0.5, 0.99),
    learning_rate_decay=True,
    ema_decay=0.998,
)


def widths(generator: int, discriminator: int, batch_norm: bool = True) -> dict:
    """The two networks of a candidate."""
    return {
        "generator": methods.dcgan_generator(generator),
        "discriminator": methods.dcgan_discriminator(discriminator, batch_norm),
    }


def rates(generator: float, discriminator: float) -> dict:
    """The two learning rates of a candidate."""
    return {"g_learning_rate": generator, "d_learning_rate": discriminator}


def combined(*parts: dict) -> dict:
    """Several changes at once."""
    return {key: value for part in parts for key, value in part.items()}


NO_NORM = widths(16, 16, batch_norm=False)
R1 = {"penalty": methods.r1, "penalty_every": 8, "penalty_weight": 0.1}
FIRST = {
    "sketch": {},
    "width 32": widths(32, 32),
    "batch 32": {"batch_size": 32},
    "rates 2e-3": rates(2e-3, 2e-3),
}
BEST_OF_FIRST = combined({"batch_size": 32}, rates(2e-3, 2e-3))
SECOND = {
    "batch 32, 2e-3": {},
    "batch 32, 4e-3": rates(4e-3, 4e-3),
    "batch 32, 2e-3, relativistic": {"loss": "relativistic"},
    "batch 32, 2e-3, no norm in D": NO_NORM,
    "batch 32, 2e-3, no norm in D, R1": combined(NO_NORM, R1),
    "batch 32, 2e-3, relativistic, no norm in D, R1": combined(NO_NORM, R1, {"loss": "relativistic"}),
    "batch 32, 2e-3, hinge": {"loss": "hinge"},
    "batch 32, 2e-3, least squares": {"loss": "least_squares"},
    "batch 32, 2e-3, average 0.995": {"ema_decay": 0.995},
    "batch 32, 2e-3, average 0.999": {"ema_decay": 0.999},
    "batch 32, G 2e-3, D 4e-3": rates(2e-3, 4e-3),
    "batch 32, G 4e-3, D 2e-3": rates(4e-3, 2e-3),
    "batch 32, 2e-3, beta1 0": {"betas": (0.0, 0.99)},
    "batch 32, 2e-3, generator 24": widths(24, 16),
    "batch 32, 2e-3, width 12": widths(12, 12),
}
CANDIDATES = FIRST | {name: BEST_OF_FIRST | change for name, change in SECOND.items()}


def main() -> None:
    """Judge the named candidates, by default all, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(CANDIDATES))
    parser.add_argument("--budget", type=float, default=60, help="seconds of CPU time for each")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    digits = data.load("mnist")
    images, held_out = digits.subset(slice(0, 50_000)), digits.subset(slice(50_000, None))
    for name in arguments.names:
        recipe = replace(SKETCH, name=name, **CANDIDATES[name])
        row = judge(recipe, images, held_out, arguments.budget, arguments.seed)
        print(json.dumps(row), flush=True)
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")


def judge(recipe, images, held_out, budget: float, seed: int) -> dict:
    """Train one candidate for the budget, and measure it."""
    steps = steps_within(recipe, images, budget)
    run = training.Run(recipe, images, seed, "cpu")
    try:
        training.train(run, steps)
        fake = training.sample(run.sampler, len(held_out), seed=1)
        extractor = metrics.extractor_for("mnist", images.image_shape)
        distance = metrics.frechet_distance(extractor(held_out.images), extractor(data.to_uint8(fake)))
    except FloatingPointError as error:
        distance = float("inf")
        print(error)
    return {
        "name": recipe.name,
        "seed": seed,
        "budget_cpu_seconds": budget,
        "steps": steps,
        "frechet_distance": round(distance, 2),
    }


def steps_within(recipe, images, budget: float) -> int:
    """How many steps of this recipe fit into the budget, from the CPU time of a few dozen."""
    run = training.Run(recipe, images, 0, "cpu")
    training.train(run, 10)
    started = time.process_time()
    training.train(run, 42)
    return int(budget / ((time.process_time() - started) / 32))


if __name__ == "__main__":
    main()
