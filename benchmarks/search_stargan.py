"""Which settings bring StarGAN furthest in a few minutes on a CPU, on digits of the training split that it never sees.

    OMP_NUM_THREADS=1 python benchmarks/search_stargan.py [NAME ...] [--steps 700] [--seeds 100]

The names are those of CANDIDATES, by default all; each is `stargan-fast`, whose weights are 1, with a change. Each
trains on `digit-domains` and is judged as benchmarks/stargan_table.py judges, but on digits 50,000 to 50,500 of MNIST's
training split, which no training sees. Seeds start at 100. The test split is not touched. Each result is a line of
assets/results/search_stargan.jsonl; lines that are there are not run again. The line "copy" leaves each image as it is.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import torch
from stargan_table import Examiner
from table import RESULTS, rounded

from gan_course import data, device, methods, training

FAST = methods.RECIPES["stargan-fast"]


def weights(reconstruction: float, identity: float) -> dict:
    """Other weights of the two terms that hold on to the image, reconstruction and identity."""
    return {"step": training.stargan_step(reconstruction, identity)}


def discriminator(**arguments) -> dict:
    """Another D of the same width."""
    return {"discriminator": methods.stargan_discriminator(32, **arguments)}


# The paper's networks, narrower, with one halving in G, and one step of D.
THEIR_G = {"generator": methods.stargan_generator(16, 3, halvings=1)}
PAPERS = THEIR_G | discriminator() | {"n_critic": 1}
CANDIDATES = {
    "weights 1": weights(1.0, 1.0),
    "reconstruction 0.2": weights(0.2, 1.0),
    "weights 0.2": weights(0.2, 0.2),
    "weights 2": weights(2.0, 2.0),
    "weights 5": weights(5.0, 5.0),
    "weights 5, domain terms of 2": weights(5.0, 5.0) | {"class_weight": 2.0},
    "one step of D": {"n_critic": 1},
    "no identity": weights(1.0, 0.0),
    "D judges patches": discriminator(norm=True),
    "D has no norm": discriminator(patches=False),
    "the paper's G": THEIR_G,
    "the paper's networks": PAPERS | weights(10.0, 0.0),
    "the paper's networks, identity": PAPERS | weights(10.0, 10.0),
}


def main() -> None:
    """Run the candidates named, by default all, on every seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, nargs="+", default=[100])
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--out", type=Path, default=RESULTS / "search_stargan.jsonl")
    arguments = parser.parse_args()
    lines = arguments.out.read_text(encoding="utf-8").splitlines() if arguments.out.exists() else []
    done = {tuple(json.loads(line)[key] for key in ("name", "seed", "steps")) for line in lines}
    torch.set_num_threads(1)
    train, examiner = data.load("digit-domains"), Examiner("train", data.domains.TRAINED_ON)
    wanted = [("copy", 0, 0)]
    wanted += [(name, seed, arguments.steps) for seed in arguments.seeds for name in arguments.names or CANDIDATES]
    for name, seed, steps in wanted:
        if (name, seed, steps) in done:
            continue
        row = {"name": name, "seed": seed, "steps": steps}
        if name == "copy":
            row |= examiner.scores(examiner.copy)
        else:
            row |= judged(name, seed, steps, train, examiner)
        with arguments.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rounded(row)) + "\n")
        print(json.dumps(rounded(row)), flush=True)


def judged(name: str, seed: int, steps: int, train: data.ImageSet, examiner: Examiner) -> dict:
    """One training, and its scores on the digits held out."""
    run = training.Run(replace(FAST, name=name, **CANDIDATES[name]), train, seed, "cpu")
    started = time.process_time()
    training.train(run, steps=steps)
    seconds = round(time.process_time() - started, 1)
    return {"seconds": seconds, "hardware": device.describe(torch.device("cpu"))} | examiner.scores(run.sampler)


if __name__ == "__main__":
    main()
