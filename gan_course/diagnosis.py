"""What `python -m gan_course doctor` examines."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from gan_course import device as devices


@dataclass(frozen=True)
class Line:
    """One thing examined: its name, what was found, and what to do when it is wrong."""

    name: str
    found: str
    problem: str = ""

    def __str__(self) -> str:
        mark = "PROBLEM" if self.problem else "ok"
        return f"{self.name:<12} {mark:<8} {self.found}" + (f"\n{'':<21} {self.problem}" if self.problem else "")


def examine() -> Iterator[Line]:
    """Each line as soon as it is known; the last ones take a few seconds."""
    version = platform.python_version()
    old = "" if sys.version_info >= (3, 10) else "The course needs Python 3.10 or newer."
    yield Line("Python", f"{version} on {platform.system()} {platform.machine()}", old)
    yield Line("torch", torch.__version__)
    try:
        place = devices.get()
        yield Line("device", f"{place}: {devices.describe(place)}; profile {devices.profile()}")
    except ValueError as error:
        yield Line("device", "none", str(error))
        place = torch.device("cpu")
    yield _memory()
    yield _disk()
    yield _assets()
    yield Line("speed", f"{matmul_rate(place):,.0f} GFLOP/s in float32 matrix products on {place}")
    yield _training(place)


def _memory() -> Line:
    try:
        gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError, AttributeError):
        return Line("memory", "not known on this system")
    low = "The lessons want 4 GiB; close other programs while they run." if gibibytes < 3.5 else ""
    return Line("memory", f"{gibibytes:.1f} GiB", low)


def _disk() -> Line:
    free = shutil.disk_usage(Path.home()).free / 2**30
    return Line("disk", f"{free:.1f} GiB free", "Free at least 1 GiB." if free < 1 else "")


def _assets() -> Line:
    from gan_course.data import sources
    from gan_course.training import checkpoint

    problems = list(sources.verify().values())
    names = checkpoint.shipped()
    for name in names:
        try:
            checkpoint.load_network(name, "cpu")
        except ValueError as error:
            problems.append(str(error))
    return Line("files", f"{len(sources.SHIPPED)} data sets and {len(names)} checkpoints ship", " ".join(problems))


def matmul_rate(place: torch.device, size: int = 2048, repeats: int = 6) -> float:
    """The best of a few float32 matrix products, in GFLOP/s."""
    x = torch.randn(size, size, device=place)
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        (x @ x)[0, 0].item()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best / 1e9


def _training(place: torch.device) -> Line:
    from gan_course import data, methods, training

    images = data.ImageSet(torch.zeros(256, 1, 28, 28, dtype=torch.uint8))
    run = training.Run(methods.RECIPES["dcgan-fast"], images, device=place)
    training.train(run, steps=5)
    before = run.seconds
    training.train(run, steps=25)
    rate = 20 * run.recipe.batch_size / (run.seconds - before)
    return Line("training", f"dcgan-fast on 28x28: {rate:,.0f} images/s")
