"""Modes captured on the ring of 8 and the grid of 25, with the protocol of the PacGAN paper, on one CPU core.

    python benchmarks/toy_modes.py [METHOD ...] [--data ring grid] [--seeds 0 1 2] [--most ROWS]

All methods share networks, batch size, Adam with a falling rate, the average, and the budget: as many steps as fit into
116 seconds of a core's time by the speed of a trial. They differ in packing and penalty. The stored rows of points-fast
had 116 seconds by the clock, and a core of their own; those of the others, measured beside other work, made as many
steps as the first of them had time for (`--steps 52000`). 2,500 samples are judged once: modes with a sample within 3
standard deviations, the share of such samples, and KL(q || uniform). Rows are written to assets/results/toy_modes.json
when they are done, and not run again; `--most` ends the script after so many new rows.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import torch
from search_toy_modes import SETS, judged, trained
from table import RESULTS, missing, parser, spread, stored, write

from gan_course import device, methods, networks, training

SECONDS = 116  # of the 120 that the table allows
SAMPLES = 2_500
BEST = methods.RECIPES["points-fast"]
REJECTION = "points-fast, rejection"  # the same runs, sampled by training.rejection_sample
NO_PENALTY = {"penalty": None, "penalty_weight": 0.0, "last_penalty_weight": None, "penalty_every": 1}
GAN = replace(BEST, name="GAN", **NO_PENALTY)


def packed(packing: int) -> methods.Recipe:
    """The plain GAN whose D judges packs."""

    def discriminator(shape):
        return networks.PackedDiscriminator(methods.small_discriminator((packing * shape[0],)), packing)

    return replace(GAN, name=f"PacGAN{packing}", discriminator=discriminator)


METHODS = {recipe.name: recipe for recipe in (GAN, packed(2), packed(4), BEST)}
# Lin et al. (2018), PacGAN: modes, high-quality share, reverse KL; means of ten runs of 400 epochs over 100,000 points
PUBLISHED = {
    "GAN": {"ring": (6.3, 0.982, 0.45), "grid": (17.3, 0.948, 0.70)},
    "PacGAN2": {"ring": (7.9, 0.956, 0.07), "grid": (23.8, 0.913, 0.13)},
    "PacGAN4": {"ring": (7.8, 0.959, 0.07), "grid": (24.8, 0.936, 0.04)},
}


def main() -> None:
    """Train what is missing, judge, print, and write the result after every row."""
    options = parser(__doc__, RESULTS / "toy_modes.json")
    options.add_argument("methods", nargs="*", default=list(METHODS))
    options.add_argument("--data", nargs="+", choices=SETS, default=list(SETS))
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--steps", type=int)
    arguments = options.parse_args()
    torch.set_num_threads(1)
    rows = stored(arguments.out)
    wanted = itertools.product(arguments.seeds, arguments.data, arguments.methods)
    for seed, data, name in missing(wanted, rows, ("seed", "data", "method"))[: arguments.most]:
        run, took = trained(METHODS[name], data, seed, SECONDS, arguments.steps)
        drawn = {name: training.sample(run.sampler, SAMPLES, seed=1)}
        if name == BEST.name:
            drawn[REJECTION] = training.rejection_sample(run.sampler, run.discriminator, SAMPLES, seed=1)
        for method, samples in drawn.items():
            rows.append({"method": method, "data": data, "seed": seed, **took, **judged(samples, data)})
            print(json.dumps(rows[-1]), flush=True)
        write(arguments.out, result(rows))


def result(rows: list[dict]) -> dict:
    """The whole file: provenance, settings, means and spreads beside the published numbers, and the rows."""
    return {
        "script": "benchmarks/toy_modes.py",
        "seconds": SECONDS,
        "samples": SAMPLES,
        "exact_generator": {"high_quality": 0.9889},  # 1 - exp(-4.5)
        "hardware": device.describe(torch.device("cpu")),
        "threads": 1,
        "torch": torch.__version__,
        "settings": {name: recipe.settings() for name, recipe in METHODS.items()},
        "published": {
            "source": "Lin et al. (2018), PacGAN, Table 1: 400 epochs over 100,000 points, batches of 100",
            "columns": ["modes", "high_quality", "kl"],
            **PUBLISHED,
        },
        "summary": [of_method(rows, data, name) for data in SETS for name in (*METHODS, REJECTION)],
        "rows": rows,
    }


def of_method(rows: list[dict], data: str, name: str) -> dict:
    """Mean and standard deviation of each number over the seeds of one method."""
    mine = [row for row in rows if (row["data"], row["method"]) == (data, name)]
    keys = ("modes", "high_quality", "kl", "steps", "cpu_seconds") if mine else ()
    spreads = {key: spread([row[key] for row in mine]) for key in keys}
    return {"data": data, "method": name, "seeds": len(mine)} | spreads


if __name__ == "__main__":
    main()
