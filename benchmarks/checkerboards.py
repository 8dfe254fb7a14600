"""How much power MNIST generators have at the Nyquist frequency, before and after training, by how they double images.

    python benchmarks/checkerboards.py [--seeds 0 1 2]

Base, steps and judging are those of benchmarks/dcgan_rules.py; only the generator's doubling layers differ: transposed
convolutions with kernel 5 or 4, or nearest-neighbour resizing and a convolution. The result is written to
assets/results/checkerboards.json after every run.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import dcgan_rules
import torch
from torch import Tensor

from gan_course import data, device, metrics, training
from gan_course.files import write_atomically
from gan_course.networks.ablations import AblationGenerator

RESULT = dcgan_rules.RESULT.with_name("checkerboards.json")
KINDS = {"kernel 5, stride 2": {"kernel": 5}, "kernel 4, stride 2": {}, "resize, convolve": {"upsample": True}}


def main() -> None:
    """Train, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images, test = data.load("mnist", "train"), data.load("mnist", "test").images[: dcgan_rules.SAMPLES]
    extractor = metrics.extractor_for("mnist", images.image_shape, torch.device("cpu"))
    real = extractor(test)
    result = {
        "script": "benchmarks/checkerboards.py",
        "steps": dcgan_rules.STEPS,
        "seeds": arguments.seeds,
        "features": extractor.name,
        "samples": dcgan_rules.SAMPLES,
        "real": nyquist_share(data.to_float(test)),
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "rows": [],
    }
    for seed in arguments.seeds:
        for name, generator in KINDS.items():
            row = {"name": name, "seed": seed} | measure(generator, seed, images, extractor, real)
            print(json.dumps(row), flush=True)
            result["rows"].append(row)
            write_atomically(arguments.out, (json.dumps(result, indent=2) + "\n").encode())


def measure(generator: dict, seed: int, images, extractor, real: Tensor) -> dict:
    """The Nyquist share before and after training, and the FD after it."""
    make = partial(AblationGenerator, width=dcgan_rules.WIDTH, **generator)
    run = training.Run(replace(dcgan_rules.recipe("all rules kept"), generator=make), images, seed, "cpu")
    with torch.no_grad():
        untrained = run.generator(torch.randn(64, run.generator.latent_dim, generator=run.rng))
    training.train(run, steps=dcgan_rules.STEPS)
    drawn = training.sample(run.sampler, dcgan_rules.SAMPLES, seed=1)
    return {
        "untrained": round(nyquist_share(untrained), 5),
        "trained": round(nyquist_share(drawn), 5),
        "frechet_distance": round(metrics.frechet_distance(real, extractor(data.to_uint8(drawn))), 1),
        "seconds": round(run.seconds, 1),
    }


def nyquist_share(images: Tensor) -> float:
    """Share of the images' power, means left out, where a row or column frequency is 1/2 a pixel; sides are even."""
    centred = images[:, 0] - images[:, 0].mean((1, 2), keepdim=True)
    power, middle = torch.fft.fft2(centred.double()).abs().square().mean(0), images.shape[-1] // 2
    at_limit = power[middle].sum() + power[:, middle].sum() - power[middle, middle]
    return (at_limit / power.sum()).item()


if __name__ == "__main__":
    main()
