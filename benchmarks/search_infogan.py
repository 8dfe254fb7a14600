"""The search behind `infogan-fast`: which settings make its categories the digits of MNIST in minutes.

    OMP_NUM_THREADS=1 python benchmarks/search_infogan.py [NAME ...] [--seeds 100 101] [--steps 1000]

A candidate is what differs from `dcgan-fast` with codes and bound. Each trains on the first 50,000 digits of the
training split, and is judged by the purity of its categories: of 4,000 generated digits as the course's classifier sees
them, and of Q's reading of 5,000 of the last 10,000 digits of the training split against their labels. The test split
is not touched; labels only judge. Seeds start at 100, while benchmarks/infogan_seeds.py judges on 0 to 4. Each result
is a line of assets/results/search_infogan.jsonl; lines that are there are not run again.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import infogan_seeds
import torch
from table import RESULTS, append, lines, missing

from gan_course import data, methods, training

FILE = RESULTS / "search_infogan.jsonl"
START = replace(
    methods.RECIPES["dcgan-fast"],
    generator=methods.infogan_generator(24),
    discriminator=methods.infogan_discriminator(24, batch_norm=False, hidden=128),
    step=training.infogan_step(),
)
# The rates, momenta and BatchNorm of the paper on small networks; no penalty.
PAPER = {
    "discriminator": methods.infogan_discriminator(24, batch_norm=True, hidden=256),
    "g_learning_rate": 1e-3,
    "d_learning_rate": 2e-4,
    "betas": (0.5, 0.999),
    "learning_rate_decay": False,
    "penalty": None,
}
# The paper's rates doubled, and falling to zero.
FALLING = {"g_learning_rate": 2e-3, "d_learning_rate": 4e-4, "learning_rate_decay": True}
BATCH_NORM = {"discriminator": methods.infogan_discriminator(24, batch_norm=True, hidden=128)}


def weights(category: float, continuous: float) -> dict:
    """The two lambdas of a candidate."""
    return {"step": training.infogan_step(category, continuous)}


def scaled(scale: float) -> dict:
    """A candidate whose category weighs more in G's input."""
    return {"generator": methods.infogan_generator(24, category_scale=scale)}


CANDIDATES = {
    "as dcgan-fast": {},
    "weights 0.1": weights(0.1, 0.1),
    "weights 0.3 and 0.1": weights(0.3, 0.1),
    "scale 8": scaled(8.0),
    "scale 8, weights 0.3 and 0.1": scaled(8.0) | weights(0.3, 0.1),
    "scale 8, paper's rates, continuous 0.1": scaled(8.0) | PAPER | weights(1.0, 0.1),
    "scale 8, weights 0.1": scaled(8.0) | weights(0.1, 0.1),
    "scale 8, weights 0.3": scaled(8.0) | weights(0.3, 0.3),
    "scale 16, weights 0.3": scaled(16.0) | weights(0.3, 0.3),
    "scale 32, weights 0.3": scaled(32.0) | weights(0.3, 0.3),
    "scale 16, weights 0.1 and 0.3": scaled(16.0) | weights(0.1, 0.3),
    "scale 16, weights 0.3 and 0.1": scaled(16.0) | weights(0.3, 0.1),
    "scale 16, paper's rates, weights 0.3": scaled(16.0) | PAPER | weights(0.3, 0.3),
    "scale 8, paper's rates doubled, continuous 0.3": scaled(8.0) | PAPER | FALLING | weights(1.0, 0.3),
    "scale 8, BatchNorm in D, weights 0.3": scaled(8.0) | BATCH_NORM | weights(0.3, 0.3),
    "scale 8, paper's rates, continuous 0.3": scaled(8.0) | PAPER | weights(1.0, 0.3),
    "scale 8, paper's rates": scaled(8.0) | PAPER,
    "scale 8, paper's rates, weights 0.1 and 0.3": scaled(8.0) | PAPER | weights(0.1, 0.3),
    "scale 4, paper's rates, weights 0.1 and 0.3": scaled(4.0) | PAPER | weights(0.1, 0.3),
    "rates halved": {"g_learning_rate": 2e-3, "d_learning_rate": 2e-3},
    "paper's rates": PAPER,
    "paper's rates, continuous 0.1": PAPER | weights(1.0, 0.1),
    "paper's rates doubled, continuous 0.1": PAPER | FALLING | weights(1.0, 0.1),
}


def main() -> None:
    """Run the candidates named, by default all, on every seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(CANDIDATES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[100])
    parser.add_argument("--steps", type=int, default=1_000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images = data.load("mnist")
    train, held_out = images.subset(slice(0, 50_000)), images.subset(slice(50_000, 55_000))
    wanted = [(name, seed, arguments.steps) for seed in arguments.seeds for name in arguments.names]
    for name, seed, steps in missing(wanted, lines(FILE), ("name", "seed", "steps")):
        recipe = replace(START, name=name, **CANDIDATES[name])
        append(FILE, infogan_seeds.judged_run(recipe, train, held_out, seed, steps, samples=4_000))


if __name__ == "__main__":
    main()
