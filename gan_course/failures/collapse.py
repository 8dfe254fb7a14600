"""Mode collapse on the ring and on the grid, and everything that may cure it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch

from gan_course import losses, methods, networks, training
from gan_course.failures.framework import Failure
from gan_course.failures.pieces import GRID, PLAIN, RING, grid_numbers, ring_numbers, watched


def packed(packing: int):
    """A maker of discriminators that judge packs."""
    return lambda shape: networks.PackedDiscriminator(
        networks.PointDiscriminator(packing * shape[0], (64, 64)), packing
    )


def noisy(std: float):
    """A maker of discriminators that see through noise."""
    return lambda shape: networks.InstanceNoise(networks.PointDiscriminator(shape[0], (64, 64)), std)


def spectral(shape):
    """A discriminator with spectral norm."""
    return networks.spectral_norm(networks.PointDiscriminator(shape[0], (64, 64)))


# name: settings that replace those of a collapsing recipe, each in one change
CURES: dict[str, dict] = {
    "nothing": {},
    "two time scales": {"d_learning_rate": 2e-3},
    "packing of 2": {"discriminator": packed(2)},
    "packing of 4": {"discriminator": packed(4)},
    "unrolling, 5 steps": {"g_step": watched(training.unrolled_g_step(5, 0.1))},
    "instance noise, fading": {"discriminator": noisy(0.5), "step": training.fading_noise(0.5)},
    "label smoothing": {"loss": losses.smoothed("non_saturating", 0.9)},
    "spectral norm": {"discriminator": spectral},
    "R1": {"penalty": methods.r1, "penalty_weight": 0.005},
    "gradient penalty": {"penalty": methods.gradient_penalty, "penalty_weight": 0.1},
    "average of weights": {"ema_decay": 0.998},
}


def collapse_numbers(modes: Callable, run: training.Run) -> dict[str, float]:
    """The modes, and how far apart two fakes lie on average, as a share of how far apart two real points lie."""
    real, _ = run.data.batch(500, torch.Generator().manual_seed(1))
    fake = training.sample(run.sampler, 500, seed=1)
    return {**modes(run), "spread": (torch.pdist(fake).mean() / torch.pdist(real).mean()).item()}


RING_COLLAPSE = Failure(
    name="ring-collapse",
    title="Mode collapse on the ring",
    data=RING,
    broken=replace(PLAIN, name="slow discriminator", d_learning_rate=1e-4),
    cured=replace(PLAIN, name="faster discriminator", d_learning_rate=2e-3),
    change="D's learning rate: 1e-4 becomes 2e-3, twice that of G (two time scales)",
    why="All fakes run to where D is most sure of real samples. A slow D notices late; by then they run on together.",
    steps=2_000,
    measure=partial(collapse_numbers, ring_numbers),
    number="modes",
    fails=4,
    heals=8,
    source="two time scales: Heusel et al. (2017)",
)

GRID_COLLAPSE = Failure(
    name="grid-collapse",
    title="Mode collapse on the grid",
    data=GRID,
    broken=replace(PLAIN, name="slow discriminator", d_learning_rate=1e-5),
    cured=replace(PLAIN, name="faster discriminator", d_learning_rate=2e-3),
    change="D's learning rate: 1e-5 becomes 2e-3, twice that of G (two time scales)",
    why="As on the ring; here it took a D that is slower still.",
    steps=3_000,
    measure=partial(collapse_numbers, grid_numbers),
    number="modes",
    fails=8,
    heals=20,
    source="two time scales: Heusel et al. (2017)",
)
