"""Images a second of one training step of `dcgan`, against textbook.py's step, in one run.

    python benchmarks/step_speed.py [--json FILE]

Both train the same networks at the same batch size with the same losses on the same device, in turns, so that noise of
the machine hits both alike; the best and the median turn of each are reported. The share of the machine's measured
matrix-product rate counts the operations of the recipe's step with torch.utils.flop_counter.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import textbook
import torch
from torch.utils.flop_counter import FlopCounterMode

from gan_course import data, device, methods, training
from gan_course.diagnosis import matmul_rate

ROUNDS, STEPS = 7, 6


def main() -> None:
    """Measure in turns, print and optionally write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    images = data.load("mnist")
    run = training.Run(methods.RECIPES["dcgan"], images, device="cpu")
    book = textbook.players(seed=0)
    real = images.batch(textbook.BATCH_SIZE, run.rng)[0]

    def course_step():
        training.gan_step(run)

    def textbook_step():
        textbook.step(*book, real)

    def sharing_step():
        textbook.step(*book, real, share_fakes=True)

    steps = {"dcgan": course_step, "textbook": textbook_step, "textbook, sharing fakes": sharing_step}
    rates = {name: [] for name in [*steps, "matmul"]}
    for step in steps.values():
        step()
    for _ in range(ROUNDS):
        for name, step in steps.items():
            rates[name].append(images_a_second(step))
        rates["matmul"].append(matmul_rate(torch.device("cpu")))
    with FlopCounterMode(display=False) as counter:
        course_step()
    flop = counter.get_total_flops() / textbook.BATCH_SIZE
    ratios = {name: sorted(a / b for a, b in zip(rates["dcgan"], rates[name], strict=True)) for name in list(steps)[1:]}
    peak = max(rates["matmul"]) * 1e9
    result = {
        "images_a_second": {name: round(statistics.median(rates[name])) for name in steps},
        "ratio": {
            name: {"median": round(statistics.median(r), 2), "least": round(r[0], 2), "most": round(r[-1], 2)}
            for name, r in ratios.items()
        },
        "megaflop_an_image": round(flop / 1e6, 1),
        "matmul_gigaflop_a_second": round(peak / 1e9),
        "share_of_matmul_rate": round(statistics.median(rates["dcgan"]) * flop / peak, 3),
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
    }
    print(json.dumps(result, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


def images_a_second(step) -> float:
    """The rate of a few steps in a row."""
    started = time.perf_counter()
    for _ in range(STEPS):
        step()
    return STEPS * textbook.BATCH_SIZE / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
