"""What metrics depend on besides the samples' quality: their number, and changes that nobody sees.

    OMP_NUM_THREADS=1 python benchmarks/metric_limits.py [--most ROWS] [--out FILE]

"size": FD and KD of N honest samples and of N samples of two shipped generators against the 10,000 test digits, for N
from 250 to 10,000 and five draws each; and for each draw of 10,000 the distance extrapolated to endless samples.
"perturbation": 2,000 honest digits, changed by at most epsilon of 255 in every pixel: by random signs; by one step
along the sign of a gradient that moves the features away from the real ones' mean, for FD; and by one that raises or
lowers a discriminator's logit. The discriminator is that of `dcgan-fast`, trained here for 1,500 steps from each seed.
How far a logit moves is given in standard deviations of the logits of honest digits. "resizing": test digits shrunk to
14 x 14 by an antialiased bicubic filter, and 10,000 honest ones shrunk by another one, all enlarged again to 28 x 28 by
the same bicubic filter: FD then is of the filter alone. Rows that the file holds are not run again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cache

import torch
from table import RESULTS, missing, parser, stored, write
from torch import Tensor, nn

from gan_course import data, device, methods, metrics, training

SIZES, DRAWS = (250, 500, 1_000, 2_500, 5_000, 10_000), 5
GENERATORS = ("honest", "dcgan-fast-mnist", "dcgan-mnist")
EPSILONS, SEEDS = (1, 2, 4, 8, 16), (0, 1, 2)
PERTURBED, STEPS, HALF = 2_000, 1_500, 30_000
SMALL = 14
FILTERS = {  # how 28 x 28 becomes 14 x 14; those without antialias look at the same few pixels however far they shrink
    "bicubic, antialiased": {"mode": "bicubic", "antialias": True},
    "bilinear, antialiased": {"mode": "bilinear", "antialias": True},
    "mean of 2 x 2": {"mode": "area"},
    "bicubic, not antialiased": {"mode": "bicubic"},
    "nearest pixel": {"mode": "nearest-exact"},
}


def main() -> None:
    """Make the rows that are missing, at most --most of them."""
    arguments = parser(__doc__, RESULTS / "metric_limits.json").parse_args()
    torch.set_num_threads(1)
    rows = stored(arguments.out)
    keys = [("size", name, draw) for name in GENERATORS for draw in range(DRAWS)]
    keys += [("perturbation", "dcgan-fast", seed) for seed in SEEDS]
    keys += [("resizing", name, draw) for name in FILTERS for draw in SEEDS]
    for kind, name, seed in missing(keys, rows, ("kind", "name", "seed"))[: arguments.most]:
        started = time.process_time()
        points = {"size": sizes, "perturbation": perturbations, "resizing": resizing}[kind](name, seed)
        row = {"kind": kind, "name": name, "seed": seed, "seconds": round(time.process_time() - started, 1)} | points
        print(json.dumps(row), flush=True)
        rows.append(row)
        write(arguments.out, summary(rows))


@cache
def extractor() -> metrics.FeatureExtractor:
    return metrics.extractor_for("mnist", (1, 28, 28), torch.device("cpu"))


@cache
def real() -> Tensor:
    return extractor()(data.load("mnist", "test").images).double()


def honest(n: int, draw: int) -> Tensor:
    """Digits that neither the real side nor any generator's training is judged by."""
    rows = torch.randperm(HALF, generator=torch.Generator().manual_seed(draw))[:n]
    return data.load("mnist").images[HALF:][rows]


def sizes(name: str, draw: int) -> dict:
    """FD and KD for each N, of nested subsets of one draw, and the extrapolated FD."""
    if name == "honest":
        images = honest(SIZES[-1], draw)
    else:
        images = data.to_uint8(training.sample(training.load_network(name, "cpu")[0], SIZES[-1], seed=1000 + draw))
    fake = extractor()(images).double()
    line = metrics.extrapolated_frechet(real(), fake, seed=draw)
    return {
        "sizes": SIZES,
        "frechet_distance": [round(metrics.frechet_distance(real(), fake[:n]), 3) for n in SIZES],
        "kernel_distance": [round(metrics.kernel_distance(real(), fake[:n]), 5) for n in SIZES],
        "extrapolated": round(line.value, 3),
        "slope": round(line.slope, 1),
    }


def perturbations(name: str, seed: int) -> dict:
    """For each kind of change, FD and the shift of the discriminator's logit at each epsilon."""
    run = training.train(training.Run(methods.RECIPES[name], data.load("mnist"), seed, "cpu"), steps=STEPS)
    critic = run.discriminator.eval().requires_grad_(False)
    images = data.to_float(honest(PERTURBED, seed))
    logits = in_parts(critic, images)
    changes = {
        "random": torch.randn(images.shape, generator=torch.Generator().manual_seed(seed)).sign(),
        "against the features": steepest(away_from_the_real_mean, images),
        "logit up": steepest(critic, images),
        "logit down": -steepest(critic, images),
    }
    result = {"epsilons": EPSILONS, "frechet_distance_unchanged": round(distance(images), 3)}
    for name, signs in changes.items():
        moved = [(images + 2 * epsilon / 255 * signs).clamp(-1, 1) for epsilon in EPSILONS]
        shifts = [float((in_parts(critic, x) - logits).mean() / logits.std()) for x in moved]
        result[name] = {
            "frechet_distance": [round(distance(x), 3) for x in moved],
            "logit_shift": [round(shift, 3) for shift in shifts],
        }
    return result


def distance(images: Tensor) -> float:
    """FD of floats, rounded to 8 bits as all images are."""
    return metrics.frechet_distance(real(), extractor()(data.to_uint8(images)))


@torch.no_grad()
def in_parts(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    return torch.cat([function(part).flatten() for part in images.split(250)])


def away_from_the_real_mean(images: Tensor) -> Tensor:
    """The squared distance of each image's features from the mean of the real ones'."""
    return (extractor().network.features(images) - real().mean(0).float()).square().sum(1)


def steepest(function: Callable[[Tensor], Tensor] | nn.Module, images: Tensor) -> Tensor:
    """The sign of the gradient of each image's own value: of all changes of a size, the one that raises it fastest.

    Source: Goodfellow, Shlens and Szegedy (2015), the fast gradient sign method.
    """
    parts = []
    for part in images.split(250):
        part = part.clone().requires_grad_()
        parts.append(torch.autograd.grad(function(part).sum(), part)[0].sign())
    return torch.cat(parts)


def resizing(name: str, draw: int) -> dict:
    """FD between test digits shrunk by one filter and honest ones shrunk by another."""
    fake = extractor()(shrunk(honest(SIZES[-1], draw), name))
    return {"frechet_distance": round(metrics.frechet_distance(real_shrunk(), fake), 3)}


@cache
def real_shrunk() -> Tensor:
    return extractor()(shrunk(data.load("mnist", "test").images, next(iter(FILTERS)))).double()


def shrunk(images: Tensor, name: str) -> Tensor:
    """To 14 x 14 by a filter, rounded to 8 bits, and enlarged to the old size by the first one; uint8."""
    for size, options in ((SMALL, FILTERS[name]), (images.shape[2], next(iter(FILTERS.values())))):
        images = nn.functional.interpolate(images.float(), (size, size), **options).round().clamp(0, 255)
    return images.to(torch.uint8)


def summary(rows: list[dict]) -> dict:
    """The whole result with its provenance."""
    return {
        "script": "benchmarks/metric_limits.py",
        "data": "mnist",
        "real": "test split, 10,000",
        "features": extractor().name,
        "perturbed": PERTURBED,
        "discriminator": {"recipe": "dcgan-fast", "steps": STEPS},
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "rows": rows,
    }


if __name__ == "__main__":
    main()
