"""Networks and optimizers set up badly."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import nn

from gan_course import training
from gan_course.data import toy
from gan_course.failures.framework import Failure
from gan_course.failures.pieces import (
    HEALTHY,
    RING,
    RING_STD,
    batch_leak,
    batch_norm_discriminator,
    biased,
    discriminator,
    distance_of_means,
    flat_share,
    generator,
    he_weights,
    joint_d_step,
    joint_g_step,
    mode_numbers,
    normal_weights,
    ring_numbers,
    watched,
)

DEEP = {"generator": generator((64, 64, 64)), "discriminator": discriminator((64, 64, 64))}
ELSEWHERE = toy.ring_centers() + torch.tensor([2.0, 0.0])
MOVED_RING = toy.PointSet(partial(toy.points, centers=ELSEWHERE, std=RING_STD), name="ring of 8 around (2, 0)")
moved_ring_numbers = mode_numbers(ELSEWHERE, RING_STD)
ONE_SPOT = toy.PointSet(partial(toy.points, centers=[(1.0, 0.0)], std=RING_STD), name="one spot at (1, 0)")


def start_numbers(run: training.Run) -> dict[str, float]:
    """The mean norm of G's gradient in its first 10 steps, and the modes at the end."""
    return {"g_gradient_at_first": run.history[0]["g_gradient"], **ring_numbers(run)}


def flat_numbers(run: training.Run) -> dict[str, float]:
    """The share of fakes that D gives no direction, and the modes."""
    return {"flat": flat_share(run), **ring_numbers(run)}


def leak_numbers(run: training.Run) -> dict[str, float]:
    """How far the fakes are from the data as a whole, how much D's answers hang on the batch, and the modes."""
    return {"distance": distance_of_means(run), "leak": batch_leak(run), **moved_ring_numbers(run)}


def place_numbers(run: training.Run) -> dict[str, float]:
    """How far the fakes are from the data as a whole."""
    return {"distance": distance_of_means(run)}


BAD_INITIALISATION = Failure(
    name="bad-initialisation",
    title="Weights that start too small",
    data=RING,
    broken=replace(
        HEALTHY,
        name="N(0, 0.02)",
        generator=normal_weights(DEEP["generator"], 0.02),
        discriminator=normal_weights(DEEP["discriminator"], 0.02),
    ),
    cured=replace(
        HEALTHY,
        name="He",
        generator=he_weights(DEEP["generator"]),
        discriminator=he_weights(DEEP["discriminator"]),
    ),
    change="the first weights: N(0, 0.02) becomes He's initialisation",
    why="N(0, 0.02) fits DCGAN's wide layers with BatchNorm behind them. Here each layer makes signals about ten times "
    "smaller, and gradients on their way back too. Adam, which divides by the gradient's size, gets out in time.",
    steps=300,
    measure=start_numbers,
    number="g_gradient_at_first",
    fails=0.02,
    heals=0.5,
    source="He et al. (2015), section 2.2",
)

DEAD_UNITS = Failure(
    name="dead-units",
    title="Dead units",
    data=RING,
    broken=replace(HEALTHY, name="ReLU", discriminator=biased(DEEP["discriminator"], -0.5, nn.ReLU())),
    cured=replace(HEALTHY, name="LeakyReLU", discriminator=biased(DEEP["discriminator"], -0.5)),
    change="D's activation: ReLU becomes LeakyReLU(0.2)",
    why="Biases that start at -0.5 switch units off. A ReLU that is off for every sample has no slope, so nothing "
    "turns it on again; where all are off D is flat, and G is told nothing. A leaky one always has a slope.",
    steps=1_000,
    measure=flat_numbers,
    number="flat",
    fails=0.9,
    heals=0.01,
    source="Maas, Hannun, Ng (2013), section 2; LeakyReLU in D: Radford, Metz, Chintala (2016), section 3",
)

BATCH_STATISTICS = Failure(
    name="batch-statistics",
    title="BatchNorm statistics in the discriminator",
    data=MOVED_RING,
    broken=replace(HEALTHY, name="separate batches", discriminator=batch_norm_discriminator),
    cured=replace(
        HEALTHY,
        name="joint batches",
        discriminator=batch_norm_discriminator,
        d_step=joint_d_step,
        g_step=watched(joint_g_step),
    ),
    change="real and generated samples go through D in one batch, and not in a batch each",
    why="BatchNorm gives each batch mean 0 and deviation 1. Judged apart, real and generated batches come out alike "
    "wherever they lie: D is blind to a shift, and what it does see is the batch and not the sample. One batch for "
    "both has one mean.",
    steps=2_000,
    measure=leak_numbers,
    number="distance",
    fails=1.25,
    heals=0.8,
    source="Ioffe and Szegedy (2015); no BatchNorm at D's input: Radford, Metz, Chintala (2016), section 3",
)

FAR_RATE = Failure(
    name="far-rate",
    title="Learning rates too far",
    data=RING,
    broken=replace(HEALTHY, name="a hundred times the rate", g_learning_rate=0.1, d_learning_rate=0.2),
    cured=HEALTHY,
    change="both learning rates, divided by a hundred",
    why="Each player steps over the other's answer, and both forget faster than they learn.",
    steps=1_500,
    measure=ring_numbers,
    number="high_quality",
    fails=0.2,
    heals=0.5,
    source="the course",
)

CIRCLING = replace(
    HEALTHY,
    name="the last weights",
    generator=generator(()),
    discriminator=discriminator(()),
    loss="wasserstein",
    g_learning_rate=1e-2,
    d_learning_rate=1e-2,
    betas=(0.0, 0.99),
)
RESTLESS = Failure(
    name="restless",
    title="Players that circle each other",
    data=ONE_SPOT,
    broken=CIRCLING,
    cured=replace(CIRCLING, name="averaged weights", ema_decay=0.998),
    change="G's weights are averaged over the steps (decay 0.998)",
    why="Two linear players: D points to where the data are, G goes there and beyond, D turns round. They circle the "
    "solution; the middle of the circle is the solution.",
    steps=2_000,
    measure=place_numbers,
    number="distance",
    fails=0.05,
    heals=0.03,
    source="Mescheder, Geiger, Nowozin (2018), section 2 (the Dirac-GAN); averages: Yazici et al. (2019)",
)
