"""Which settings of pix2pix and of CycleGAN go furthest in a few minutes on a CPU, on a part of the training pairs.

    OMP_NUM_THREADS=1 python benchmarks/search_translation.py RECIPE [NAME ...] [--data emoji-styles] [--steps 1000]

RECIPE is pix2pix or cyclegan; the names are those of CANDIDATES, by default all. Each candidate trains on 1,329 pairs
of the training split (CycleGAN without their pairing), and is judged on the other 200 as benchmarks/pix2pix_table.py
judges on the test pairs, which are not touched here. Seeds start at 100. A candidate with smaller batches makes more
steps, so that all see the same number of images. Each result is a line of assets/results/search_translation.jsonl;
lines that are there are not run again.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch
from pix2pix_table import METRICS
from table import RESULTS, append, lines, missing

from gan_course import data, device, methods, metrics, training

FILE = RESULTS / "search_translation.jsonl"
HELD_OUT = 200
MASK = {"generator": methods.cycle_generator(16, blocks=4, mask=True)}
FALLING = {"learning_rate_decay": True, "decay_from": 0.5}


CORRECTION = {"generator": methods.correction_generator(16, blocks=3), "ema_decay": 0.995}
PLAIN_D = {"discriminator": methods.cycle_discriminator(32, norm=False)}
MIRRORED = {"translation": replace(methods.RECIPES["pix2pix"].translation, mirrored=True)}


def weights(cycle: float, identity: float, mirrored: bool = False) -> dict:
    """CycleGAN with other weights than the paper's 10 and 5."""
    translation = methods.RECIPES["cyclegan"].translation
    return {"translation": replace(translation, cycle=cycle, identity=identity, mirrored=mirrored)}


def rates(rate: float) -> dict:
    """Both players' learning rates."""
    return {"g_learning_rate": rate, "d_learning_rate": rate}


CANDIDATES = {
    "pix2pix": {
        "paper's rates": {},
        "rates 5e-4": rates(5e-4),
        "rates 1e-3, falling": rates(1e-3) | FALLING,
        "rates 1e-3, falling, averaged": rates(1e-3) | FALLING | {"ema_decay": 0.998},
        "rates 1e-3, falling, averaged, mirrored": rates(1e-3) | FALLING | {"ema_decay": 0.998} | MIRRORED,
        "no dropout": {"generator": methods.unet_generator(24, dropout=0.0)},
        "patches of 34": {"discriminator": methods.pair_discriminator(32, layers=2)},
        "batches of 2": {"batch_size": 2},
        "rates 1e-3, falling, averaged, no dropout": rates(1e-3)
        | FALLING
        | {"ema_decay": 0.998, "generator": methods.unet_generator(24, dropout=0.0)},
    },
    "cyclegan": {
        "paper's rates": {},
        "rates 1e-3": rates(1e-3),
        "mask": MASK,
        "mask, rates 5e-4": MASK | rates(5e-4),
        "mask, rates 1e-3": MASK | rates(1e-3),
        "mask, rates 1e-3, averaged": MASK | rates(1e-3) | {"ema_decay": 0.998},
        "mask, batches of 1": MASK | {"batch_size": 1},
        "correction": CORRECTION | PLAIN_D | rates(1e-3) | weights(2.0, 1.0),
        "correction, mirrored": CORRECTION | PLAIN_D | rates(1e-3) | weights(2.0, 1.0, mirrored=True),
        "correction, the paper's weights": CORRECTION | PLAIN_D | rates(1e-3),
        "correction, weights of a quarter": CORRECTION | PLAIN_D | rates(1e-3) | weights(0.5, 0.25),
        "correction, D with norm": CORRECTION | rates(1e-3) | weights(2.0, 1.0),
        "correction, patches of 34": CORRECTION
        | {"discriminator": methods.cycle_discriminator(32, layers=2, norm=False)}
        | rates(1e-3)
        | weights(2.0, 1.0),
    },
}


def main() -> None:
    """Run the candidates named, by default all, on every seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", choices=CANDIDATES)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--data", default="emoji-styles", choices=data.PAIRS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[100])
    parser.add_argument("--steps", type=int, default=1_000, help="with the recipe's own batch size")
    parser.add_argument("--out", type=Path, default=FILE)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pairs = data.load(arguments.data)
    mixed = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))
    train, held_out = pairs.subset(mixed[HELD_OUT:]), pairs.subset(mixed[:HELD_OUT])
    columns = ("recipe", "name", "data", "seed", "budget")
    wanted = [
        (arguments.recipe, name, arguments.data, seed, arguments.steps)
        for seed in arguments.seeds
        for name in arguments.names or CANDIDATES[arguments.recipe]
    ]
    for key in missing(wanted, lines(arguments.out), columns):
        about = dict(zip(columns, key, strict=True))
        append(arguments.out, about | judged(about, train, held_out))


def judged(about: dict, train: data.ImagePairs, held_out: data.ImagePairs) -> dict:
    """One training, and its scores on the pairs held out, with the mean gain of each over a copy of the input."""
    base = methods.RECIPES[about["recipe"]]
    recipe = replace(base, name=about["name"], **CANDIDATES[about["recipe"]][about["name"]])
    run, started = training.Run(recipe, train, about["seed"], "cpu"), time.process_time()
    training.train(run, steps=about["budget"] * base.batch_size // recipe.batch_size)
    seconds = time.process_time() - started
    (_, row), _ = metrics.compare_translations({"it": run.sampler}, held_out)
    gains = {score: round(gain["mean"], 4) for score, gain in row["over_copying"].items()}
    scores = {metric: round(row[metric], 4) for metric in METRICS}
    about_run = {"steps": run.step, "seconds": round(seconds, 1), "hardware": device.describe(torch.device("cpu"))}
    return about_run | scores | {"over_copying": gains}


if __name__ == "__main__":
    main()
