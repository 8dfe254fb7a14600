"""The search behind the recipe `points-fast`: modes of the grid of 25 and of the ring of 8 in two minutes on one core.

    OMP_NUM_THREADS=1 python benchmarks/search_toy_modes.py NAME ... [--data grid ring] [--seeds 100] [--seconds 110]

Seeds start at 100; benchmarks/toy_modes.py judges on 0, 1 and 2. A candidate trains for so many seconds on a core of
its own, and 20,000 samples are judged. Each result is a line of assets/results/search_toy_modes.jsonl. Mostly there
is one seed, and the seconds of the stored lines differ by up to a tenth: small differences may be chance. The stored
lines were measured before the script had this form: with a step of D that judged both batches in one pass, a tenth
faster than the loop's, and the first candidate with PyTorch's own first weights and an average of 0.998.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import torch
from table import RESULTS, append

from gan_course import methods, metrics, networks, training
from gan_course.data import toy

FILE = RESULTS / "search_toy_modes.jsonl"
SETS = {
    "ring": (toy.PointSet(toy.ring, name="ring of 8"), toy.ring_centers(), 0.01),
    "grid": (toy.PointSet(toy.grid, name="grid of 25"), toy.grid_centers(), 0.05),
}


def pair(width: int = 64, g_layers: int = 5, d_layers: int = 3) -> dict:
    """Both networks of a candidate."""
    return {
        "generator": lambda shape: networks.he_weights(networks.PointGenerator(2, shape[0], (width,) * g_layers)),
        "discriminator": lambda shape: networks.he_weights(networks.PointDiscriminator(shape[0], (width,) * d_layers)),
    }


def rates(rate: float) -> dict:
    """One learning rate for both networks."""
    return {"g_learning_rate": rate, "d_learning_rate": rate}


def weights(first: float, last: float | None = None) -> dict:
    """The penalty's weight, constant or falling."""
    return {"penalty_weight": first, "last_penalty_weight": last}


PAIRED = {"loss": "relativistic", "penalty": methods.r1_r2, "penalty_every": 4, **weights(0.005)}
SKETCH = methods.Recipe(
    name="sketch",
    source="where the search ended",
    **pair(),
    **rates(2e-3),
    **weights(0.1, 0.002),
    batch_size=128,
    betas=(0.0, 0.99),
    learning_rate_decay=True,
    penalty=methods.r1,
    penalty_every=8,
    ema_decay=0.999,
)
LATER = {"betas": (0.5, 0.9)}  # what the first half of the search had
CANDIDATES = {
    "relativistic, 3 x 128": PAIRED | LATER | pair(128, 3) | rates(1e-3) | {"batch_size": 256},
    "relativistic, 3 x 64": PAIRED | LATER | pair(64, 3) | rates(1e-3),
    "relativistic, G 5 x 64": PAIRED | LATER | rates(1e-3),
    "relativistic, G 5 x 64, rates 2e-3": PAIRED | LATER | rates(2e-3),
    "relativistic, G 5 x 64, rates 4e-3": PAIRED | LATER | rates(4e-3),
    "relativistic, both 5 x 64, rates 2e-3": PAIRED | LATER | pair(d_layers=5),
    "relativistic, G 5 x 64, rates 3e-3, weight 0.1 to 0.001": PAIRED | LATER | rates(3e-3) | weights(0.1, 0.001),
    "relativistic, G 5 x 64, rates 2e-3, betas 0 0.99": PAIRED,
    "relativistic, R1 alone, betas 0 0.99": PAIRED | {"penalty": methods.r1},
    "weight 0.005": weights(0.005),
    "weight 0.02": weights(0.02),
    "weight 0.02, batch 256": weights(0.02) | {"batch_size": 256},
    "weight 0.05 to 0.005": weights(0.05, 0.005),
    "weight 0.1 to 0.005": weights(0.1, 0.005),
    "weight 0.3 to 0.002": weights(0.3, 0.002),
    "weight 0.1 to 0.002": {},
    "weight 0.1 to 0.002, batch 256": {"batch_size": 256},
}


def main() -> None:
    """Train each named candidate and append its line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=CANDIDATES)
    parser.add_argument("--data", nargs="+", choices=SETS, default=["grid"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[100])
    parser.add_argument("--seconds", type=float, default=110)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.names:
        for seed in arguments.seeds:
            for data in arguments.data:
                recipe = replace(SKETCH, name=name, **CANDIDATES[name])
                run, took = trained(recipe, data, seed, arguments.seconds)
                found = judged(training.sample(run.sampler, 20_000, seed=1), data)
                append(FILE, {"name": name, "data": data, "seed": seed, **took, **found})


def trained(recipe, data: str, seed: int, seconds: float, steps: int | None = None) -> tuple[training.Run, dict]:
    """Train for as many steps as fit into the CPU seconds, by a trial, or for `steps`; the run, and what it took."""
    if steps is None:
        trial = training.train(training.Run(recipe, SETS[data][0], seed, "cpu"), steps=500)  # the first are slower
        started = time.process_time()
        training.train(trial, steps=2_500)
        steps = int(2_000 * seconds / (time.process_time() - started))
    run = training.Run(recipe, SETS[data][0], seed, "cpu")
    started = time.process_time()
    training.train(run, steps=steps)
    return run, {"steps": run.step, "cpu_seconds": round(time.process_time() - started, 1)}


def judged(samples: torch.Tensor, data: str) -> dict:
    """Modes, high-quality share and KL of samples (n, 2)."""
    modes = metrics.modes_captured(samples, *SETS[data][1:])
    return {"modes": modes.modes, "high_quality": round(modes.high_quality, 4), "kl": round(modes.kl, 4)}


if __name__ == "__main__":
    main()
