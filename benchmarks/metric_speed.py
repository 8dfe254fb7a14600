"""Seconds of the metrics against the libraries that people use, from the same float64 features, in turns in one run.

    python benchmarks/metric_speed.py [--samples 10000] [--dimensions 2048] [--rounds 3] [--out FILE]

Frechet distance against torchmetrics (its metric fed with the features in batches of 500, then computed) and against
the square root of a matrix by scipy.linalg.sqrtm (once, as it takes minutes); kernel distance against torchmetrics'
estimator on the very same subsets; precision, recall, density and coverage against their authors' package. A ratio
above 1 says that the course is faster. Beside the seconds stand the largest difference of the results and, for
precision and so on, how far the memory of a fresh process rises. The features are those of a random ReLU layer whose
inputs have falling scales. On Windows no memory is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import scipy.linalg
import torch
from table import RESULTS, write
from torch import Tensor

from gan_course import device, metrics

SUBSETS, SUBSET_SIZE, BATCH, K = 20, 1000, 500, 5


def main() -> None:
    """Measure everything, print it and write it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--samples", type=int, default=10_000)
    options.add_argument("--dimensions", type=int, default=2048)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--out", type=Path, default=RESULTS / "metric_speed.json")
    arguments = options.parse_args()
    real, fake = (features(arguments.samples, arguments.dimensions, seed) for seed in (0, 1))
    result = {
        "script": "benchmarks/metric_speed.py",
        "samples": arguments.samples,
        "dimensions": arguments.dimensions,
        "hardware": device.describe(torch.device("cpu")),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "frechet_torchmetrics": in_turns(metrics.frechet_distance, frechet_torchmetrics, real, fake, arguments.rounds),
        "frechet_sqrtm": in_turns(metrics.frechet_distance, frechet_sqrtm, real, fake, 1),
        "kernel_torchmetrics": in_turns(kernel_ours, kernel_torchmetrics, real, fake, arguments.rounds)
        | {"subsets": SUBSETS, "subset_size": min(SUBSET_SIZE, len(real))},
        "prdc_package": in_turns(prdc_ours, prdc_package, real, fake, arguments.rounds)
        | {"mebibytes": {f.__name__: risen_memory(f, real, fake) for f in (prdc_ours, prdc_package)}},
    }
    print(json.dumps(result, indent=2))
    write(arguments.out, result)


def features(n: int, d: int, seed: int) -> Tensor:
    """Of a ReLU layer, float64 (n, d); the layer is the same for every seed."""
    rng = torch.Generator().manual_seed(99)
    layer = torch.randn(d, d, generator=rng, dtype=torch.float64) * torch.arange(1, d + 1)[:, None] ** -0.5
    inputs = torch.randn(n, d, generator=rng.manual_seed(seed), dtype=torch.float64)
    return (inputs @ layer + 0.05 * seed).relu()


def in_turns(ours: Callable, theirs: Callable, real: Tensor, fake: Tensor, rounds: int) -> dict:
    """Median seconds of each, the median ratio, and the largest relative difference of their results."""
    small = real[:100, :64].contiguous(), fake[:100, :64].contiguous()
    ours(*small), theirs(*small)  # what is loaded at the first call is not counted
    seconds, results = {ours: [], theirs: []}, {}
    for _ in range(rounds):
        for function, times in seconds.items():
            started = time.perf_counter()
            results[function] = np.atleast_1d(function(real, fake))
            times.append(time.perf_counter() - started)
    ratios = [b / a for a, b in zip(seconds[ours], seconds[theirs], strict=True)]
    difference = np.abs(results[ours] / results[theirs] - 1).max()
    return {
        "seconds": round(statistics.median(seconds[ours]), 3),
        "their_seconds": round(statistics.median(seconds[theirs]), 3),
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "relative_difference": float(f"{difference:.1e}"),
    }


def frechet_torchmetrics(real: Tensor, fake: Tensor) -> float:
    """By its own class, for which the images are the features."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Flat(torch.nn.Module):
        num_features = real.shape[1]

        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1)

    metric = FrechetInceptionDistance(feature=Flat(), input_img_size=(1, 1, real.shape[1])).set_dtype(torch.float64)
    for is_real, samples in ((True, real), (False, fake)):
        for part in samples.split(BATCH):
            metric.update(part[:, None, None], real=is_real)
    return metric.compute().item()


def frechet_sqrtm(real: Tensor, fake: Tensor) -> float:
    """As the first implementations did it."""
    x, y = real.numpy(), fake.numpy()
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(s1 @ s2)
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s1 + s2 - 2 * root.real))


def kernel_ours(real: Tensor, fake: Tensor) -> float:
    return metrics.kernel_distance(real, fake, SUBSETS, min(SUBSET_SIZE, len(real)))[0]


def kernel_torchmetrics(real: Tensor, fake: Tensor) -> float:
    """Its estimator on the subsets that kernel_distance draws for seed 0."""
    from torchmetrics.image.kid import poly_mmd

    rng, values = torch.Generator().manual_seed(0), []
    for _ in range(SUBSETS):
        x, y = (s[torch.randperm(len(s), generator=rng)[: min(SUBSET_SIZE, len(s))]] for s in (real, fake))
        values.append(poly_mmd(x, y, degree=3, gamma=None, coef=1.0).item())
    return statistics.mean(values)


def prdc_ours(real: Tensor, fake: Tensor) -> tuple[float, ...]:
    return tuple(metrics.prdc(real, fake, K))


def prdc_package(real: Tensor, fake: Tensor) -> tuple[float, ...]:
    from prdc import compute_prdc

    with contextlib.redirect_stdout(io.StringIO()):  # it prints how many samples it got
        result = compute_prdc(real.numpy(), fake.numpy(), nearest_k=K)
    return tuple(float(result[name]) for name in metrics.PRDC._fields)


def risen_memory(function: Callable, real: Tensor, fake: Tensor) -> float | None:
    """MiB by which the peak of a fresh process rises while the function runs; None where that cannot be said."""
    if sys.platform == "win32":
        return None
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as pool:
        files = [Path(folder) / name for name in ("real.npy", "fake.npy")]
        for file, samples in zip(files, (real, fake), strict=True):
            np.save(file, samples.numpy())
        return pool.submit(measure_memory, function, files).result()


def measure_memory(function: Callable, files: list[Path]) -> float:
    """In the fresh process: the features are read, so that nothing but them was ever in its memory before."""
    real, fake = (torch.from_numpy(np.load(file)) for file in files)
    function(real[:100], fake[:100])
    before = peak_memory()
    function(real, fake)
    return round(peak_memory() - before, 1)


def peak_memory() -> float:
    """Of this process, in MiB. What the system's own counter says may be the parent's, so Linux is asked in detail."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()
