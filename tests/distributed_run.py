"""Trains a small WGAN-GP for a few steps and writes weights and losses; started alone, or by torchrun.

    python tests/distributed_run.py FOLDER
    python -m torch.distributed.run --standalone --nproc-per-node 2 tests/distributed_run.py FOLDER

There is no BatchNorm in it, so that any number of processes must give the same weights.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import torch

from gan_course import data, methods, networks, penalties, training
from gan_course.training import distributed

RECIPE = dataclasses.replace(
    methods.RECIPES["wgan-gp"],
    generator=lambda shape: networks.MLPGenerator(8, shape, (32,)),
    discriminator=lambda shape: networks.DCGANDiscriminator(shape[1], shape[0], 4, batch_norm=False),
    batch_size=16,
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    n_critic=2,
    ema_decay=0.9,
)
STEPS = 6


def main(folder: Path) -> None:
    """The right training, and two with a mistake that only shows where there are several processes."""
    torch.set_num_threads(1)
    save(trained(RECIPE), folder / "right")
    own_numbers = dataclasses.replace(RECIPE, penalty=penalties.gradient_penalty)
    save(trained(own_numbers), folder / "own_numbers")
    average = distributed.average_gradients
    distributed.average_gradients = lambda optimizer: None
    save(trained(RECIPE), folder / "no_average")
    distributed.average_gradients = average
    distributed.leave()


def trained(recipe: methods.Recipe) -> training.Run:
    """A finished run over images of squares."""
    images = torch.zeros(64, 1, 28, 28, dtype=torch.uint8)
    for i in range(64):
        images[i, 0, i % 8 * 2 : i % 8 * 2 + 10, i // 8 * 2 : i // 8 * 2 + 10] = 255
    run = training.Run(recipe, data.ImageSet(images, name="squares"), seed=0, device="cpu")
    return training.train(run, steps=STEPS, log_every=3)


def save(run: training.Run, folder: Path) -> None:
    """Every process asks to write, under a name of its own; the first alone may."""
    rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
    for part in ("generator", "discriminator", "sampler"):
        training.save_network(getattr(run, part), folder / f"{part}-{rank}.safetensors", {})
    if distributed.is_first():
        facts = {"processes": distributed.size(), "images_seen": run.images_seen, "history": run.history}
        (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
