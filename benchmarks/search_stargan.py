"""Which settings bring StarGAN furthest in a few minutes on a CPU, on digits of the training split that it never sees.

    OMP_NUM_THREADS=1 python benchmarks/search_stargan.py [NAME ...] [--steps 700] [--seeds 100]

The names are those of CANDIDATES, by default all; each is `stargan-fast`, whose weights are 1, with a change. Each
trains on `digit-domains` and is judged as benchmarks/stargan_table.py judges, but on digits 50,000 to 50,500 of MNIST's
training split, which no training sees. Seeds start at 100. The test split is not touched. Each result is a line of
assets/results/search_stargan.jsonl; lines that are there are not run again. The line "copy" leaves each image as it is.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch
from stargan_table import Examiner
from table import RESULTS, append, lines, missing, rounded

from gan_course import data, device, methods, training

FAST = methods.RECIPES["stargan-fast"]


def weights(reconstruction: float, identity: float) -> dict:
    """Other weights of the two terms that hold on to the image, reconstruction and identity."""
    return {"step": training.stargan_step(reconstruction, identity)}


def discriminator(**arguments) -> dict:
    """Another D of the same width."""
    return {"discriminator": methods.stargan_discriminator(32, **arguments)}


# The paper's networks, narrower, with one halving in G, and one step of D.
PAPERS = {"generator": methods.stargan_generator(16, 3, halvings=1)} | discriminator() | {"n_critic": 1}
CANDIDATES = {
    "weights 1": {},  # the recipe as it is
    "reconstruction 0.2": weights(0.2, 1.0),
    "weights 0.2": weights(0.2, 0.2),
    "weights 2": weights(2.0, 2.0),
    "weights 5": weights(5.0, 5.0),
    "weights 5, domain terms of 2": weights(5.0, 5.0) | {"class_weight": 2.0},
    "no identity": weights(1.0, 0.0),
    "D judges patches": discriminator(norm=True),
    "the paper's networks": PAPERS | weights(10.0, 0.0),
}


def main() -> None:
    """Run the candidates named, by default all, on every seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, nargs="+", default=[100])
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--out", type=Path, default=RESULTS / "search_stargan.jsonl")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    train, examiner = data.load("digit-domains"), Examiner("train", data.domains.TRAINED_ON)
    wanted = [("copy", 0, 0)]
    wanted += [(name, seed, arguments.steps) for seed in arguments.seeds for name in arguments.names or CANDIDATES]
    for name, seed, steps in missing(wanted, lines(arguments.out), ("name", "seed", "steps")):
        row = {"name": name, "seed": seed, "steps": steps}
        if name == "copy":
            row |= examiner.scores(examiner.copy)
        else:
            row |= judged(name, seed, steps, train, examiner)
        append(arguments.out, rounded(row))


def judged(name: str, seed: int, steps: int, train: data.ImageSet, examiner: Examiner) -> dict:
    """One training, and its scores on the digits held out."""
    run = training.Run(replace(FAST, name=name, **CANDIDATES[name]), train, seed, "cpu")
    started = time.process_time()
    training.train(run, steps=steps)
    seconds = round(time.process_time() - started, 1)
    return {"seconds": seconds, "hardware": device.describe(torch.device("cpu"))} | examiner.scores(run.sampler)


if __name__ == "__main__":
    main()
