"""What several test files share."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from gan_course import data, methods, networks


@pytest.fixture
def squares() -> data.ImageSet:
    """Sixty-four 28x28 images, each a bright square somewhere: enough to train on for a few steps."""
    images = torch.zeros(64, 1, 28, 28, dtype=torch.uint8)
    for i in range(64):
        images[i, 0, i % 8 * 2 : i % 8 * 2 + 10, i // 8 * 2 : i // 8 * 2 + 10] = 255
    return data.ImageSet(images, torch.arange(64) % 4, list("abcd"), name="squares")


@pytest.fixture
def tiny_recipe() -> methods.Recipe:
    """A DCGAN so small that a step takes milliseconds, with an average and a decaying learning rate."""
    return dataclasses.replace(
        methods.RECIPES["dcgan"],
        name="tiny",
        generator=lambda shape: networks.DCGANGenerator(8, shape[1], shape[0], width=4),
        discriminator=lambda shape: networks.DCGANDiscriminator(shape[1], shape[0], width=4),
        batch_size=8,
        ema_decay=0.9,
        learning_rate_decay=True,
    )
