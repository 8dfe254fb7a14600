"""The search behind the recipe `points-fast`: modes of the grid of 25 and of the ring of 8 within a CPU budget.

    python benchmarks/search_toy_modes.py NAME ... [--data grid] [--seeds 100] [--seconds 110]

Seeds start at 100; benchmarks/toy_modes.py judges on 0, 1 and 2. A candidate trains for as many steps as fit into the
CPU seconds, by the time of steps 200 to 400, and 20,000 samples are judged. Each result is a line of
assets/results/search_toy_modes.jsonl. The machine was busy with other work, so that equal seconds are not exactly equal
chances, and mostly there is one seed: small differences may be chance.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import torch

from gan_course import methods, metrics, networks, penalties, training
from gan_course.data import toy
from gan_course.failures.pieces import he_weights

RESULTS = Path(methods.__file__).parent / "assets" / "results" / "search_toy_modes.jsonl"
SETS = {
    "ring": (toy.PointSet(toy.ring, name="ring of 8"), toy.ring_centers(), 0.01),
    "grid": (toy.PointSet(toy.grid, name="grid of 25"), toy.grid_centers(), 0.05),
}


def pair(width: int = 128, layers: int = 3, latent_dim: int = 2) -> dict:
    """Both networks of a candidate."""
    return {
        "generator": lambda shape: networks.PointGenerator(latent_dim, shape[0], (width,) * layers),
        "discriminator": lambda shape: networks.PointDiscriminator(shape[0], (width,) * layers),
    }


def rates(rate: float) -> dict:
    """One learning rate for both networks."""
    return {"g_learning_rate": rate, "d_learning_rate": rate}


SKETCH = methods.Recipe(
    name="sketch",
    source="where the search starts",
    **pair(),
    **rates(1e-3),
    batch_size=256,
    betas=(0.0, 0.99),
    learning_rate_decay=True,
    ema_decay=0.998,
)


def pair_penalty(discriminator, real: torch.Tensor, fake: torch.Tensor, rng) -> torch.Tensor:
    """R1 + R2 from one pass over both batches: twice the mean over both is the sum of the two means."""
    both = torch.cat([real, fake]).detach().requires_grad_(True)
    return 2 * penalties.r1(discriminator(both), both)


def pair_d_step(run, real: torch.Tensor, fake: torch.Tensor) -> dict[str, torch.Tensor]:
    """D's step with one pass over both batches, which the penalty, on its turn, shares."""
    recipe = run.recipe
    run.discriminator.requires_grad_(True)
    both = torch.cat([real, fake])
    penalised = recipe.penalty_weight and run.step % recipe.penalty_every == 0
    logits = run.discriminator(both.requires_grad_(bool(penalised)))
    loss = total = run.loss.discriminator(*logits.chunk(2))
    if penalised:
        total = loss + recipe.penalty_weight * recipe.penalty_every * 2 * penalties.r1(logits, both)
    training.descend(run.d_optimizer, total)
    return {"d_loss": loss.detach()}


def noisy(std: float, width: int = 64, until: float = 0.8, **changes) -> dict:
    """A candidate without a penalty whose D sees through noise that fades."""
    return {
        **pair(width),
        "loss": "relativistic",
        "discriminator": lambda shape: networks.InstanceNoise(networks.PointDiscriminator(shape[0], (width,) * 3), std),
        "step": training.fading_noise(std, until),
        "batch_size": 2 * width,
        **changes,
    }


REGULARISED = {"loss": "relativistic", "penalty": pair_penalty, "penalty_weight": 0.005}
LAZY = REGULARISED | {"penalty_every": 4}
SMALL = LAZY | pair(64) | {"batch_size": 128}
BETAS = {"betas": (0.5, 0.9)}
SHARED = LAZY | BETAS | {"d_step": pair_d_step}
HE = {key: he_weights(make) for key, make in pair(64).items()}
CANDIDATES = {
    "plain": {},
    "regularised": REGULARISED,
    "lazy": LAZY,
    "lazy, rates 2e-3": LAZY | rates(2e-3),
    "lazy, weight 5e-4": LAZY | {"penalty_weight": 5e-4},
    "lazy, average 0.9995": LAZY | {"ema_decay": 0.9995},
    "lazy, latent 8": LAZY | pair(latent_dim=8),
    "lazy, betas 0.5 0.9": LAZY | BETAS,
    "lazy, widths 64": LAZY | pair(64),
    "lazy, batch 512": LAZY | {"batch_size": 512},
    "lazy, non-saturating": LAZY | {"loss": "non_saturating"},
    "lazy, 4 layers": LAZY | pair(layers=4),
    "small": SMALL,
    "small, He": SMALL | HE,
    "small, He, betas 0.5 0.9": SMALL | HE | BETAS,
    "small, betas 0.5 0.9": SMALL | BETAS,
    "small, betas 0.5 0.9, no penalty": SMALL | BETAS | {"loss": "non_saturating", "penalty": None},
    "noise 1": noisy(1.0),
    "noise 1, widths 128": noisy(1.0, 128),
    "noise 1, lazy": noisy(1.0, penalty=pair_penalty, penalty_weight=0.005, penalty_every=4),
    "noise 1, non-saturating": noisy(1.0, loss="non_saturating"),
    "noise 1, betas 0.5 0.99": noisy(1.0, betas=(0.5, 0.99)),
    "noise 2": noisy(2.0),
    "shared, average 0.9995": SHARED | {"ema_decay": 0.9995},
    "shared, average 0.999, every 8": SHARED | {"ema_decay": 0.999, "penalty_every": 8},
    "shared, average 0.999, every 8, weight 1e-3": SHARED
    | {"ema_decay": 0.999, "penalty_every": 8, "penalty_weight": 1e-3},
    "shared, average 0.999, rates 2e-3": SHARED | rates(2e-3) | {"ema_decay": 0.999},
    "shared, average 0.999, non-saturating": SHARED | {"ema_decay": 0.999, "loss": "non_saturating"},
    "shared, average 0.999, 4 layers": SHARED | pair(layers=4) | {"ema_decay": 0.999},
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
                row = {"name": name, "data": data, "seed": seed}
                row |= judged_run(replace(SKETCH, name=name, **CANDIDATES[name]), data, seed, arguments.seconds)
                print(json.dumps(row), flush=True)
                with RESULTS.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")


def judged_run(recipe, data: str, seed: int, seconds: float, samples: int = 20_000, steps: int | None = None) -> dict:
    """Train for as many steps as fit into the CPU seconds, or for `steps`; then count the modes."""
    points, centers, std = SETS[data]
    if steps is None:
        trial = training.train(training.Run(recipe, points, seed, "cpu"), steps=200)  # the first are slower
        started = time.process_time()
        training.train(trial, steps=400)
        steps = int(seconds / (time.process_time() - started) * 200)
    started = time.process_time()
    run = training.train(training.Run(recipe, points, seed, "cpu"), steps=steps)
    row = {"steps": steps, "cpu_seconds": round(time.process_time() - started, 1)}
    modes = metrics.modes_captured(training.sample(run.sampler, samples, seed=1), centers, std)
    return row | {"modes": modes.modes, "high_quality": round(modes.high_quality, 4), "kl": round(modes.kl, 4)}


if __name__ == "__main__":
    main()
