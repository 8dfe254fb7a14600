"""The failures themselves. Each was searched for on other seeds than benchmarks/failure_lab.py judges it on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from gan_course import networks
from gan_course.data import toy
from gan_course.failures.framework import Failure, mode_numbers, watched
from gan_course.methods import Recipe

RING_STD = 0.05
RING = toy.PointSet(partial(toy.ring, std=RING_STD), name="ring of 8")
ring_numbers = mode_numbers(toy.ring_centers(), RING_STD)

PLAIN = Recipe(
    name="plain",
    source="the failure laboratory's starting point: the non-saturating GAN with Adam's momentum of DCGAN",
    generator=lambda shape: networks.PointGenerator(2, shape[0], (64, 64)),
    discriminator=lambda shape: networks.PointDiscriminator(shape[0], (64, 64)),
    batch_size=128,
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    g_step=watched(),
)

RING_COLLAPSE = Failure(
    name="ring-collapse",
    title="Mode collapse on the ring",
    data=RING,
    broken=replace(PLAIN, name="slow discriminator", d_learning_rate=1e-4),
    cured=replace(PLAIN, name="faster discriminator", d_learning_rate=2e-3),
    change="D's learning rate: 1e-4 becomes 2e-3, twice that of G (two time scales)",
    why="All fakes run to where D is most sure of real samples. A slow D notices late; then they run on.",
    steps=2_000,
    measure=ring_numbers,
    number="modes",
    fails=4,
    heals=8,
)

FAILURES: dict[str, Failure] = {failure.name: failure for failure in (RING_COLLAPSE,)}
