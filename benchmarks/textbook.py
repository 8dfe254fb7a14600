"""A DCGAN on MNIST as most tutorials train it: the yardstick of the other benchmarks.

    python benchmarks/textbook.py [--seconds 120] [--seed 0]

torchvision's data set with PIL transforms behind a DataLoader with two workers, binary cross-entropy with logits,
Adam at 2e-4 (0.5, 0.999), no averaging, default memory format. The networks have the layers, width and initialisation
of the course's recipe `dcgan`, written as tutorials write them. G's step draws noise of its own, as Algorithm 1 of
Goodfellow et al. (2014) has it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from gan_course import data, networks

BATCH_SIZE = 128
WIDTH = 64
LATENT_DIM = 100


def step(generator, discriminator, g_optimizer, d_optimizer, real, share_fakes=False):
    """One update of D on real and fake images, one update of G. Returns both losses as numbers, as tutorials do.

    share_fakes: draw the fakes once for both updates, as some tutorials do.
    """
    ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
    fake = generator(torch.randn(len(real), LATENT_DIM))

    d_optimizer.zero_grad()
    real_loss = F.binary_cross_entropy_with_logits(discriminator(real), ones)
    fake_loss = F.binary_cross_entropy_with_logits(discriminator(fake.detach()), zeros)
    d_loss = real_loss + fake_loss
    d_loss.backward()
    d_optimizer.step()

    g_optimizer.zero_grad()
    if not share_fakes:
        fake = generator(torch.randn(len(real), LATENT_DIM))
    g_loss = F.binary_cross_entropy_with_logits(discriminator(fake), ones)
    g_loss.backward()
    g_optimizer.step()
    return d_loss.item(), g_loss.item()


def players(seed: int):
    """Both networks and their optimizers."""
    torch.manual_seed(seed)
    generator = nn.Sequential(
        nn.Linear(LATENT_DIM, 2 * WIDTH * 7 * 7, bias=False),
        nn.Unflatten(1, (2 * WIDTH, 7, 7)),
        nn.BatchNorm2d(2 * WIDTH),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(2 * WIDTH, WIDTH, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(WIDTH),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(WIDTH, 1, 4, stride=2, padding=1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(1, WIDTH, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(WIDTH, 2 * WIDTH, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(2 * WIDTH),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Flatten(),
        nn.Linear(2 * WIDTH * 7 * 7, 1),
        nn.Flatten(0),
    )
    generator.apply(networks.initialise_dcgan)
    discriminator.apply(networks.initialise_dcgan)
    generator.latent_dim = LATENT_DIM
    optimizers = [torch.optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999)) for n in (generator, discriminator)]
    return generator, discriminator, *optimizers


def loader(folder: Path, workers: int = 2) -> torch.utils.data.DataLoader:
    """MNIST's training images as torchvision reads them, from the course's own copy."""
    write_idx_files(folder / "MNIST" / "raw")
    transforms = torchvision.transforms.Compose(
        [torchvision.transforms.ToTensor(), torchvision.transforms.Normalize((0.5,), (0.5,))]
    )
    images = torchvision.datasets.MNIST(folder, train=True, transform=transforms)
    return torch.utils.data.DataLoader(images, BATCH_SIZE, shuffle=True, drop_last=True, num_workers=workers)


def write_idx_files(folder: Path) -> None:
    """MNIST in its original format, as torchvision expects to find it after a download."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, stem in (("train", "train"), ("test", "t10k")):
        images = data.load("mnist", split)
        for kind, array in (("images-idx3", images.images[:, 0]), ("labels-idx1", images.labels.to(torch.uint8))):
            header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
            (folder / f"{stem}-{kind}-ubyte").write_bytes(header + array.numpy().tobytes())


def train(seconds: float, seed: int):
    """Train for this many seconds of wall time, data loading included; returns the generator and the steps."""
    generator, discriminator, g_optimizer, d_optimizer = players(seed)
    steps = 0
    with tempfile.TemporaryDirectory() as folder:
        batches = loader(Path(folder))
        started = time.perf_counter()
        while True:
            for real, _ in batches:
                step(generator, discriminator, g_optimizer, d_optimizer, real)
                steps += 1
                if time.perf_counter() - started >= seconds:
                    return generator, steps


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    _, count = train(arguments.seconds, arguments.seed)
    print(f"{count} steps, {count * BATCH_SIZE / arguments.seconds:.0f} images/s")
