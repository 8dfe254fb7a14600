"""Trains a small WGAN-GP and a conditional GAN for a few steps and writes weights; started alone, or by torchrun.

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
from safetensors.torch import save_file

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


class ToldGenerator(torch.nn.Module):
    """z and a class to an image, without BatchNorm."""

    def __init__(self, shape, classes):
        super().__init__()
        self.latent_dim, self.classes = 8, classes
        self.body = networks.MLPGenerator(8 + classes, shape, (32,))

    def forward(self, z, labels):
        return self.body(torch.cat([z, networks.class_shares(labels, self.classes)], 1))


TOLD = dataclasses.replace(
    methods.RECIPES["projection"],
    generator=ToldGenerator,
    discriminator=methods.conditional_discriminator(networks.ProjectionDiscriminator, 4, 8),
    batch_size=16,
    penalty_every=2,
)


def main(folder: Path) -> None:
    """The right training, and two with a mistake that only shows where there are several processes."""
    torch.set_num_threads(1)
    save(trained(RECIPE), folder / "right")
    own_numbers = dataclasses.replace(RECIPE, penalty=penalties.gradient_penalty)
    save(trained(own_numbers), folder / "own_numbers")
    save_weights(trained(TOLD), folder / "told")
    part = distributed.part
    distributed.part = lambda values: part(values) if values.is_floating_point() else values[: len(part(values))]
    save_weights(trained(TOLD), folder / "labels_of_others")
    distributed.part = part
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
    labels, classes = torch.arange(64) % 4, ["a", "b", "c", "d"]
    run = training.Run(recipe, data.ImageSet(images, labels, classes, name="squares"), seed=0, device="cpu")
    return training.train(run, steps=STEPS, log_every=3)


def save(run: training.Run, folder: Path) -> None:
    """Every process asks to write, under a name of its own; the first alone may."""
    rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
    for part in ("generator", "discriminator", "sampler"):
        training.save_network(getattr(run, part), folder / f"{part}-{rank}.safetensors", {})
    if distributed.is_first():
        facts = {"processes": distributed.size(), "images_seen": run.images_seen, "history": run.history}
        (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def save_weights(run: training.Run, folder: Path) -> None:
    """The weights of both players, for networks of this file, which no checkpoint can rebuild."""
    if distributed.is_first():
        folder.mkdir()
        for part in ("generator", "discriminator"):
            state = {name: value.contiguous() for name, value in getattr(run, part).state_dict().items()}
            save_file(state, folder / f"{part}-0.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
