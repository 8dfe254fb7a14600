"""Gradients that vanish or explode, and a discriminator that is too strong."""

from __future__ import annotations

from dataclasses import replace

import torch

from gan_course import losses, methods, training
from gan_course.failures.framework import Failure
from gan_course.failures.pieces import (
    PLAIN,
    RING,
    SAMPLES,
    SHARP_RING,
    distance_of_means,
    latest,
    ring_numbers,
    sharp_ring_numbers,
)


def head_start(generator_step: int) -> int:
    """2,000 steps of D before G's first one, then one for one."""
    return 2_000 if generator_step == 0 else 1


def saturation_numbers(run: training.Run) -> dict[str, float]:
    """The norm of G's gradient in its first step, and how far off its fakes still are at the end."""
    first = run.history[0]
    return {"g_gradient": first["g_gradient"], "d_fake": first["d_fake"], "distance": distance_of_means(run)}


def winning_numbers(run: training.Run) -> dict[str, float]:
    """How far apart D's mean answers to real and to generated points are at the end, and the modes."""
    return {"gap": latest(run, "d_real") - latest(run, "d_fake"), **sharp_ring_numbers(run)}


def certainty_numbers(run: training.Run) -> dict[str, float]:
    """D's mean logit on real points at the end, and the largest."""
    with torch.no_grad():
        logits = run.discriminator(run.data.batch(SAMPLES, torch.Generator().manual_seed(1))[0])
    return {"real_logit": logits.mean().item(), "largest_logit": logits.max().item(), "d_real": latest(run, "d_real")}


def explosion_numbers(run: training.Run) -> dict[str, float]:
    """The norms of both gradients at the end, and G's at the start."""
    return {
        "g_gradient": latest(run, "g_gradient"),
        "g_gradient_at_first": run.history[0]["g_gradient"],
        "d_gradient": latest(run, "d_gradient"),
        **ring_numbers(run),
    }


SATURATION = Failure(
    name="saturation",
    title="The minimax loss saturates",
    data=RING,
    broken=replace(PLAIN, name="minimax", loss="minimax", n_critic=head_start),
    cured=replace(PLAIN, name="non-saturating", n_critic=head_start),
    change="G's loss: minimax becomes non-saturating",
    why="D has had 2,000 steps before G's first and rejects every fake. The slope of log(1 - D) is D(G(z)), next to "
    "nothing; that of -log D is D(G(z)) - 1.",
    steps=100,
    measure=saturation_numbers,
    number="g_gradient",
    fails=0.01,
    heals=1.0,
    source="Goodfellow et al. (2014), section 3; Arjovsky and Bottou (2017), section 2",
    log_every=1,
)

EARLY_WINNER = Failure(
    name="early-winner",
    title="A discriminator that wins too early",
    data=SHARP_RING,
    broken=replace(PLAIN, name="unpenalised", loss="minimax", n_critic=10),
    cured=replace(PLAIN, name="R1", loss="minimax", n_critic=10, penalty=methods.r1, penalty_weight=0.05),
    change="D's loss: a penalty on its slope at real points is added (R1, weight 0.05)",
    why="Thin modes and loose fakes hardly meet, so that ten steps of D for one of G are enough to tell them apart "
    "almost everywhere. The penalty keeps D from being steep, and what is not steep overlaps.",
    steps=800,
    measure=winning_numbers,
    number="gap",
    fails=0.5,
    heals=0.2,
    source="Arjovsky and Bottou (2017), section 2; R1: Mescheder, Geiger, Nowozin (2018)",
)

OVERCONFIDENCE = Failure(
    name="overconfidence",
    title="A discriminator that is ever more certain",
    data=RING,
    broken=replace(PLAIN, name="hard labels", g_learning_rate=1e-6),
    cured=replace(PLAIN, name="smooth labels", g_learning_rate=1e-6, loss=losses.smoothed("non_saturating", 0.9)),
    change="the label of real samples for D: 1 becomes 0.9 (one-sided label smoothing)",
    why="G hardly moves, so D can always gain by larger logits. With the label 0.9 the best answer is 0.9, a logit of "
    "2.2. (It does not help the fakes: this cure is for D alone.)",
    steps=1_000,
    measure=certainty_numbers,
    number="real_logit",
    fails=6.0,
    heals=3.0,
    source="Salimans et al. (2016), section 3.4",
)

EXPLODING_GRADIENTS = Failure(
    name="exploding-gradients",
    title="Exploding gradients",
    data=RING,
    broken=replace(PLAIN, name="critic without constraint", loss="wasserstein", n_critic=5),
    cured=replace(
        PLAIN,
        name="gradient penalty",
        loss="wasserstein",
        n_critic=5,
        penalty=methods.gradient_penalty,
        penalty_weight=0.1,
    ),
    change="the critic's loss: a gradient penalty is added (weight 0.1)",
    why="The Wasserstein loss grows with the critic's scale, which nothing bounds; G's gradient grows with it. The "
    "penalty asks for slopes of length 1.",
    steps=1_000,
    measure=explosion_numbers,
    number="g_gradient",
    fails=30.0,
    heals=10.0,
    source="Gulrajani et al. (2017), section 4; weight as in the authors' toy experiments",
)
