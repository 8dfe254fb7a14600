"""The search that chose the settings of `dcgan-fast`: quality after a minute or two of training on two CPU cores.

    python benchmarks/search_dcgan_fast.py [NAME ...] [--seed 0]

Each candidate trains on the first 50,000 digits of MNIST's training split for as many steps as fit into 60 seconds (the
first round) or 120 (the second, which starts from the winner of the first), and is judged by FD (digit features) of
10,000 samples against the last 10,000 of the training split. The test split is not touched. How many steps fit is a
fixed number for each kind of candidate (IMAGES_A_SECOND), so that several candidates can train side by side. Every
result is a line of assets/results/search_dcgan_fast.jsonl; one seed, so small differences may be chance.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import torch
from table import RESULTS, append

from gan_course import data, methods, metrics, training

FILE = RESULTS / "search_dcgan_fast.jsonl"
SKETCH = methods.Recipe(
    name="sketch",
    source="the starting point of the search",
    generator=methods.dcgan_generator(16),
    discriminator=methods.dcgan_discriminator(16),
    batch_size=64,
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    betas=(0.5, 0.99),
    learning_rate_decay=True,
    ema_decay=0.998,
)
# Discriminator with BatchNorm or without; R1 on every 8th step; batch size. Short runs on two cores of an AMD EPYC
# that was not always idle, so good to a fifth or so; "widths 32 and 24" and "R1 32 width 24" were estimated. The
# second round was measured on another day, on a machine that was slower.
IMAGES_A_SECOND = {
    "norm 64": 2509,
    "R1 32": 1916,
    "R1 64": 2446,
    "R1 64 width 24": 1864,
    "R1 64 width 32": 1483,
    "R1 64 widths 32 and 24": 1650,
    "R1 32 width 24": 1500,
    "second": 1787,
    "second hidden 128": 1759,
    "second hidden 256": 1700,
}
PLAIN = {"discriminator": methods.dcgan_discriminator(16, batch_norm=False)}
R1 = PLAIN | {"penalty": methods.r1, "penalty_every": 8, "penalty_weight": 0.1}


def widths(width: int) -> dict:
    """Both networks of a candidate, without BatchNorm in D."""
    return {
        "generator": methods.dcgan_generator(width),
        "discriminator": methods.dcgan_discriminator(width, batch_norm=False),
    }


def rates(generator: float, discriminator: float) -> dict:
    """The two learning rates of a candidate."""
    return {"g_learning_rate": generator, "d_learning_rate": discriminator}


def he_discriminator(shape):
    """A discriminator without BatchNorm, initialised for LeakyReLU (He et al. 2015) and not as the DCGAN paper does."""
    network = methods.dcgan_discriminator(16, batch_norm=False)(shape)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.kaiming_normal_(module.weight, a=0.2)
    return network


ZERO = {"betas": (0.0, 0.99)}
HE = {"discriminator": he_discriminator}


def second(**changes) -> dict:
    """A candidate of the second round: what won the first, with some changes."""
    return rates(4e-3, 4e-3) | R1 | ZERO | widths(24) | changes


def hidden(units: int) -> dict:
    """A discriminator with a fully connected layer before the logit."""
    return {"discriminator": methods.dcgan_discriminator(24, batch_norm=False, hidden=units)}


# name: (kind, what differs from the sketch)
FIRST_ROUND = {
    "norm, 4e-3": ("norm 64", rates(4e-3, 4e-3)),
    "R1, 4e-3": ("R1 64", rates(4e-3, 4e-3) | R1),
    "R1, 8e-3": ("R1 64", rates(8e-3, 8e-3) | R1),
    "R1, batch 32, 4e-3": ("R1 32", rates(4e-3, 4e-3) | R1 | {"batch_size": 32}),
    "R1, 4e-3, beta1 0": ("R1 64", rates(4e-3, 4e-3) | R1 | ZERO),
    "R1, 8e-3, beta1 0": ("R1 64", rates(8e-3, 8e-3) | R1 | ZERO),
    "R1, batch 32, 8e-3, beta1 0": ("R1 32", rates(8e-3, 8e-3) | R1 | ZERO | {"batch_size": 32}),
    "R1, batch 32, 4e-3, beta1 0": ("R1 32", rates(4e-3, 4e-3) | R1 | ZERO | {"batch_size": 32}),
    "He, R1, 4e-3, beta1 0": ("R1 64", rates(4e-3, 4e-3) | R1 | ZERO | HE),
    "R1, 8e-3, beta1 0, weight 0.02": ("R1 64", rates(8e-3, 8e-3) | R1 | ZERO | {"penalty_weight": 0.02}),
    "R1, 8e-3, beta1 0, weight 0.5": ("R1 64", rates(8e-3, 8e-3) | R1 | ZERO | {"penalty_weight": 0.5}),
    "R1, 4e-3, average 0.995": ("R1 64", rates(4e-3, 4e-3) | R1 | {"ema_decay": 0.995}),
    "R1, G 4e-3, D 2e-3": ("R1 64", rates(4e-3, 2e-3) | R1),
    "R1, 4e-3, beta1 0, weight 2": ("R1 64", rates(4e-3, 4e-3) | R1 | ZERO | {"penalty_weight": 2.0}),
    "R1, 4e-3, beta1 0, width 24": ("R1 64 width 24", rates(4e-3, 4e-3) | R1 | ZERO | widths(24)),
    "R1, 4e-3, beta1 0, width 24, weight 2": (
        "R1 64 width 24",
        rates(4e-3, 4e-3) | R1 | ZERO | widths(24) | {"penalty_weight": 2.0},
    ),
    "R1, 4e-3, beta1 0, width 32, weight 1": (
        "R1 64 width 32",
        rates(4e-3, 4e-3) | R1 | ZERO | widths(32) | {"penalty_weight": 1.0},
    ),
    "R1, 4e-3, beta1 0, width 32": ("R1 64 width 32", rates(4e-3, 4e-3) | R1 | ZERO | widths(32)),
    "R1, 4e-3, beta1 0, generator 32, discriminator 24": (
        "R1 64 widths 32 and 24",
        rates(4e-3, 4e-3) | R1 | ZERO | widths(24) | {"generator": methods.dcgan_generator(32)},
    ),
    "R1, 4e-3, beta1 0, width 24, hinge": (
        "R1 64 width 24",
        rates(4e-3, 4e-3) | R1 | ZERO | widths(24) | {"loss": "hinge"},
    ),
    "R1, 8e-3, beta1 0, width 24": ("R1 64 width 24", rates(8e-3, 8e-3) | R1 | ZERO | widths(24)),
    "R1, 2e-3, beta1 0, width 24": ("R1 64 width 24", rates(2e-3, 2e-3) | R1 | ZERO | widths(24)),
    "R1, batch 32, 4e-3, beta1 0, width 24": (
        "R1 32 width 24",
        rates(4e-3, 4e-3) | R1 | ZERO | widths(24) | {"batch_size": 32},
    ),
    "R1, G 4e-3, D 8e-3, beta1 0, width 24": ("R1 64 width 24", rates(4e-3, 8e-3) | R1 | ZERO | widths(24)),
    "R1, 4e-3, beta1 0, width 24, latent 32": (
        "R1 64 width 24",
        rates(4e-3, 4e-3) | R1 | ZERO | widths(24) | {"generator": methods.dcgan_generator(24, 32)},
    ),
    "R1, 4e-3, betas 0 and 0.9, width 24": (
        "R1 64 width 24",
        rates(4e-3, 4e-3) | R1 | widths(24) | {"betas": (0.0, 0.9)},
    ),
    "R1, 2e-3, beta1 0, width 32": ("R1 64 width 32", rates(2e-3, 2e-3) | R1 | ZERO | widths(32)),
    "R1, G 4e-3, D 2e-3, beta1 0, width 24": ("R1 64 width 24", rates(4e-3, 2e-3) | R1 | ZERO | widths(24)),
}
SECOND_ROUND = {
    "second: the winner of the first": ("second", second()),
    "second: hidden 128": ("second hidden 128", second(**hidden(128))),
    "second: hidden 256": ("second hidden 256", second(**hidden(256))),
    "second: hidden 128, weight 0.5": ("second hidden 128", second(**hidden(128), penalty_weight=0.5)),
    "second: hidden 128, weight 1": ("second hidden 128", second(**hidden(128), penalty_weight=1.0)),
    "second: hidden 128, weight 2": ("second hidden 128", second(**hidden(128), penalty_weight=2.0)),
}
CANDIDATES = FIRST_ROUND | SECOND_ROUND


def main() -> None:
    """Judge the named candidates, by default all, one after the other, each on one thread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(CANDIDATES))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    digits = data.load("mnist")
    images, held_out = digits.subset(slice(0, 50_000)), digits.subset(slice(50_000, None))
    for name in arguments.names:
        kind, changes = CANDIDATES[name]
        recipe = replace(SKETCH, name=name, **changes)
        seconds = 120 if name in SECOND_ROUND else 60
        steps = seconds * IMAGES_A_SECOND[kind] // recipe.batch_size
        row = {"name": name, "seed": arguments.seed, "seconds": seconds, "steps": steps}
        row["frechet_distance"] = round(judge(recipe, images, held_out, steps, arguments.seed), 2)
        append(FILE, row)


def judge(recipe, images, held_out, steps: int, seed: int) -> float:
    """Train one candidate, and return its FD against the held-out digits; infinite when it diverges."""
    run = training.Run(recipe, images, seed, "cpu")
    try:
        training.train(run, steps)
    except FloatingPointError:
        return float("inf")
    fake = training.sample(run.sampler, len(held_out), seed=1)
    extractor = metrics.extractor_for("mnist", images.image_shape, torch.device("cpu"))
    return metrics.frechet_distance(extractor(held_out.images), extractor(data.to_uint8(fake)))


if __name__ == "__main__":
    main()
