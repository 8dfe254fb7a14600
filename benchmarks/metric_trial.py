"""Metrics on trial: what each of them makes of damaged digits, of copies, of a collapsed GAN, of few samples.

    OMP_NUM_THREADS=1 python benchmarks/metric_trial.py [--samples 5000] [--draws 10] [--most ROWS] [--out FILE]

The real side is always the test split. Samples are drawn without replacement from the second half of the training
split, where "honest" leaves them as they are; the first half plays the training set that a generator may have copied.
Every row is drawn again and again from those 30,000, each time others, and the table holds the mean over the draws and
the interval between the 2.5 and the 97.5 percentile: a bootstrap from the pool. A plain bootstrap, with replacement
from the samples, would put copies into each set, which the distances themselves would notice. For a generator each draw
has other codes. What is deterministic in a damage is the same in every draw.

Frechet distances are also given in the features of the fashion classifier and of a random network. The collapsed GAN is
`vanilla` with a discriminator that learns too slowly, trained here from seed 0. Rows that the file holds are not run
again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

import torch
from table import RESULTS, missing, parser, stored, write
from torch import Tensor

from gan_course import damage, data, device, methods, metrics, training

STRENGTHS = {"blur": (0.25, 0.5), "noise": (0.25, 0.5), "JPEG": (0.5, 0.8), "rotation": (0.2, 0.5)}
SIZES = (100, 10_000)
HALF = 30_000
COLLAPSED = replace(methods.RECIPES["vanilla"], name="collapsed", d_learning_rate=1e-4, g_learning_rate=1e-3)
COLLAPSE_STEPS = 600
CLUSTER_RUNS = 5
Source = Callable[[int, int], Tensor]  # how many, and which draw, to uint8 (n, 1, 28, 28)


def main() -> None:
    """Make the rows that are missing, at most --most of them."""
    options = parser(__doc__, RESULTS / "metric_trial.json")
    options.add_argument("--samples", type=int, default=5_000)
    options.add_argument("--draws", type=int, default=10)
    arguments = options.parse_args()
    torch.set_num_threads(1)
    rows = stored(arguments.out)
    sources = dict(trial(arguments.samples))
    wanted = [name for (name,) in missing([(name,) for name in sources], rows, ("row",))]
    for name in wanted[: arguments.most]:
        source, samples = sources[name]
        started = time.process_time()
        draws = [judge(source(samples, draw)) for draw in range(arguments.draws)]
        row = {"row": name, "samples": samples, "draws": arguments.draws}
        rows.append(row | {"seconds": round(time.process_time() - started, 1), "metrics": intervals(draws)})
        print(
            json.dumps({"row": name} | {key: value["mean"] for key, value in rows[-1]["metrics"].items()}), flush=True
        )
        rows.sort(key=lambda row: list(sources).index(row["row"]))
        write(arguments.out, summary(rows))


def trial(samples: int) -> Iterator[tuple[str, tuple[Source, int]]]:
    """Name, source and number of samples of each row."""
    yield "honest", (honest, samples)
    for name, strengths in STRENGTHS.items():
        for strength in strengths:
            yield f"{name} {strength:.0%}", (partial(damaged, name, strength), samples)
    yield "one class dropped", (partial(of_classes, 9), samples)
    yield "half of the classes dropped", (partial(of_classes, 5), samples)
    yield "half are one image", (partial(damaged, "one image repeated", 0.5), samples)
    yield "all are one image", (partial(damaged, "one image repeated", 1.0), samples)
    yield "the training set itself", (copied, samples)
    yield "a collapsed GAN", (lambda n, draw: drawn(collapsed(), n, draw), samples)
    for name in ("dcgan-fast-mnist", "dcgan-mnist"):
        yield name, (partial(from_checkpoint, name), samples)
    for size in SIZES:
        yield f"honest, {size:,} samples", (honest, size)


@cache
def digits() -> data.ImageSet:
    return data.load("mnist")


def honest(n: int, draw: int) -> Tensor:
    return digits().images[HALF:][order(HALF, draw)[:n]]


def copied(n: int, draw: int) -> Tensor:
    return digits().images[:HALF][order(HALF, draw)[:n]]


def of_classes(count: int, n: int, draw: int) -> Tensor:
    """Honest samples of the first so many classes, none of them twice."""
    pool = (digits().labels[HALF:] < count).nonzero()[:, 0]
    return digits().images[HALF:][pool[order(len(pool), draw)[:n]]]


def damaged(name: str, strength: float, n: int, draw: int) -> Tensor:
    return damage.DAMAGES[name](honest(n, draw), strength, seed=draw)


def from_checkpoint(name: str, n: int, draw: int) -> Tensor:
    return drawn(training.load_network(name, "cpu")[0], n, draw)


def drawn(generator: torch.nn.Module, n: int, draw: int) -> Tensor:
    return data.to_uint8(training.sample(generator, n, seed=1000 + draw))


@cache
def collapsed() -> torch.nn.Module:
    return training.train(training.Run(COLLAPSED, digits(), 0, "cpu"), steps=COLLAPSE_STEPS).sampler


def order(count: int, draw: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(draw))


@cache
def extractors() -> dict[str, metrics.FeatureExtractor]:
    """The features of each kind, for digits as images."""
    return {
        name: metrics.extractor_for(name, (1, 28, 28), torch.device("cpu")) for name in ("mnist", "fashion", "none")
    }


@cache
def real_features(name: str) -> Tensor:
    return extractors()[name](data.load("mnist", "test").images).double()


@cache
def training_features() -> Tensor:
    return extractors()["mnist"](digits().images[:HALF]).double()


@cache
def near_of_held_out() -> Tensor:
    """Of each test digit, the distance to the nearest one that may have been copied."""
    return metrics.nearest_training(real_features("mnist"), training_features()).distance


def judge(images: Tensor) -> dict[str, float]:
    """Every metric of one set of samples against the test split."""
    features = {name: extractor(images).double() for name, extractor in extractors().items()}
    real, fake = real_features("mnist"), features["mnist"]
    few = order(len(real), 0)[: len(fake)]
    as_many = fake[order(len(fake), 0)[: len(few)]]
    curve = metrics.precision_recall_curve(real[few], as_many, clusters=min(20, len(few)), runs=CLUSTER_RUNS)
    probs = probabilities(fake)
    near = metrics.nearest_training(fake, training_features()).distance
    copies = metrics.compare_nearest(near, near_of_held_out())
    captured = metrics.classes_captured(probs.argmax(1), 10)
    return {
        "frechet_distance": metrics.frechet_distance(real, fake),
        "frechet_distance_fashion": metrics.frechet_distance(real_features("fashion"), features["fashion"]),
        "frechet_distance_random": metrics.frechet_distance(real_features("none"), features["none"]),
        "kernel_distance": metrics.kernel_distance(real, fake),
        **metrics.prdc(real[few], as_many)._asdict(),
        "curve_f8": curve.f8,
        "curve_f1_8": curve.f1_8,
        "inception_score_digits": metrics.inception_score(probs),
        "classes": captured.modes,
        "classes_kl": captured.kl,
        "pairwise_distance": metrics.mean_pairwise_distance(fake),
        "ms_ssim": metrics.ms_ssim(images, pairs=500),
        "memorisation_z": copies.z,
        "closer_than_held_out": copies.closer,
        "two_sample_logistic": metrics.classifier_two_sample(real, fake).accuracy,
        "two_sample_neighbour": metrics.classifier_two_sample(real, fake, "neighbour").accuracy,
    }


@torch.inference_mode()
def probabilities(features: Tensor) -> Tensor:
    """What the digit classifier makes of its own features."""
    return extractors()["mnist"].network.head(features.float()).softmax(1)


def intervals(draws: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean, and the middle 95 % of the draws, of each metric."""
    edges = torch.tensor([0.025, 0.975], dtype=torch.float64)
    table = {}
    for key in draws[0]:
        values = torch.tensor([draw[key] for draw in draws], dtype=torch.float64)
        low, high = values.quantile(edges).tolist()
        table[key] = {
            name: float(f"{v:.5g}") for name, v in (("mean", float(values.mean())), ("low", low), ("high", high))
        }
    return table


def summary(rows: list[dict]) -> dict:
    """The whole result with its provenance."""
    return {
        "script": "benchmarks/metric_trial.py",
        "data": "mnist",
        "real": "test split, 10,000",
        "features": [extractor.name for extractor in extractors().values()],
        "interval": "middle 95 % of draws from a pool of 30,000 (or of other codes)",
        "cluster_runs": CLUSTER_RUNS,
        "collapsed": COLLAPSED.settings() | {"steps": COLLAPSE_STEPS, "seed": 0},
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "rows": rows,
    }


if __name__ == "__main__":
    main()
