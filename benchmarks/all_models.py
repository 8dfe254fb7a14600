"""Every GAN of digits that ships, judged by every metric: the course's own report.

    OMP_NUM_THREADS=1 python benchmarks/all_models.py [--seeds 3] [--most ROWS] [--out FILE]

5,000 samples of each checkpoint and seed (of the codes; each was trained once) against the 10,000 test digits. Beside
the numbers of `evaluate` stand the classes drawn and their KL to equal shares, the mean pairwise distance, MS-SSIM, the
path length, the classifier two-sample test, and how near the training set the samples lie compared with the test
digits, all but MS-SSIM in digit features. First comes a row of 5,000 real training digits. The time is of the processor
and holds drawing, features and all metrics. Rows that the file holds are not made again; tests/test_all_models.py makes
one of them afresh.
"""

from __future__ import annotations

import itertools
import json
import time
from functools import cache

import torch
from table import RESULTS, missing, parser, rounded, stored, write
from torch import Tensor, nn

from gan_course import data, device, metrics, training
from gan_course.recipes.baselines import BASELINES
from gan_course.training import checkpoint

SAMPLES, STEPS = 5_000, 500
REAL = "training digits"


def main() -> None:
    """Judge what is missing in the result."""
    options = parser(__doc__, RESULTS / "all_models.json")
    options.add_argument("--seeds", type=int, default=3)
    arguments = options.parse_args()
    torch.set_num_threads(1)
    rows = stored(arguments.out)
    wanted = itertools.product([REAL, *generators()], range(arguments.seeds))
    for name, seed in missing(wanted, rows, ("checkpoint", "seed"))[: arguments.most]:
        started = time.process_time()
        row = rounded({"checkpoint": name, "seed": seed} | judged(name, seed, SAMPLES), 5)
        rows.append(row | {"seconds": round(time.process_time() - started, 1)})
        print(json.dumps(rows[-1]), flush=True)
        write(arguments.out, summary(rows))


@cache
def generators() -> list[str]:
    """The names of the GANs' checkpoints that draw digits from noise; lesson 11 judges the other models."""
    others = {recipe.name for recipe in BASELINES}
    loaded = {name: training.load_network(name, "cpu") for name in checkpoint.shipped() if name.endswith("-mnist")}
    gans = {name: generator for name, (generator, card) in loaded.items() if card["recipe"]["name"] not in others}
    return [name for name, generator in gans.items() if hasattr(generator, "latent_dim")]


@cache
def extractor() -> metrics.FeatureExtractor:
    return metrics.extractor_for("mnist", (1, 28, 28), torch.device("cpu"))


@cache
def features(split: str) -> Tensor:
    return extractor()(data.load("mnist", split).images).double()


@cache
def near_of_held_out() -> Tensor:
    return metrics.nearest_training(features("test"), features("train")).distance


def judged(name: str, seed: int, n: int) -> dict:
    """All numbers of n samples of one checkpoint."""
    if name == REAL:
        rows = torch.randperm(60_000, generator=torch.Generator().manual_seed(seed))[:n]
        images, length = data.load("mnist").images[rows], {}
    else:
        generator = training.load_network(name, "cpu")[0]
        images = data.to_uint8(training.sample(generator, n, seed, labels=labels_for(generator, n, seed)))
        steps = metrics.path_length(generator, extractor(), STEPS, seed=seed)
        length = {"path_length": steps.mean, "path_length_error": steps.error}
    fake = extractor()(images).double()
    return metrics.compare_features(features("test"), fake, extractor().name) | of_samples(images, fake) | length


def labels_for(generator: nn.Module, n: int, seed: int) -> Tensor | None:
    """As often as the test digits have them, for a generator that is told a class."""
    if not hasattr(generator, "classes"):
        return None
    labels = data.load("mnist", "test").labels
    return labels[torch.randint(len(labels), (n,), generator=torch.Generator().manual_seed(seed))]


def of_samples(images: Tensor, fake: Tensor) -> dict:
    """Variety, copies, and whether a classifier can tell."""
    classes = metrics.classes_captured(extractor().classify(images), 10)
    near = metrics.nearest_training(fake, features("train")).distance
    copies = metrics.compare_nearest(near, near_of_held_out())
    test = metrics.classifier_two_sample(features("test"), fake)
    return {
        "classes": classes.modes,
        "classes_kl": classes.kl,
        "pairwise_distance": metrics.mean_pairwise_distance(fake),
        "ms_ssim": metrics.ms_ssim(images),
        "memorisation_z": copies.z,
        "closer_than_held_out": copies.closer,
        "two_sample_accuracy": test.accuracy,
        "two_sample_p": test.p_value,
    }


def summary(rows: list[dict]) -> dict:
    """The whole result with its provenance."""
    return {
        "script": "benchmarks/all_models.py",
        "data": "mnist",
        "samples": SAMPLES,
        "path_length_steps": STEPS,
        "features": extractor().name,
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "rows": rows,
    }


if __name__ == "__main__":
    main()
