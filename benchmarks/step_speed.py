"""Images a second of one training step of `dcgan`, against textbook.py's step, in one run.

    python benchmarks/step_speed.py [--json FILE]

Both train the same networks at the same batch size with the same losses on the CPU. Each has a process of its own, as
the course's loop sets how the process keeps memory; they work in turns, so that noise of the machine hits both alike.
The share of the machine's measured matrix-product rate counts the operations of the recipe's step with
torch.utils.flop_counter.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from pathlib import Path

import textbook
import torch
from torch.utils.flop_counter import FlopCounterMode

from gan_course import data, device, methods, training
from gan_course.diagnosis import matmul_rate

NAMES = ("dcgan", "textbook", "textbook, sharing fakes")
ROUNDS, STEPS = 9, 6


def main() -> None:
    """Measure in turns, print and optionally write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rates = {name: [] for name in [*NAMES, "matmul"]}
    workers = {name: start(name) for name in NAMES}
    for _ in range(ROUNDS):
        for name, connection in workers.items():
            connection.send("measure")
            rates[name].append(connection.recv())
        rates["matmul"].append(matmul_rate(torch.device("cpu")))
    for connection in workers.values():
        connection.send("end")
    result = summary(rates)
    print(json.dumps(result, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


def start(name: str):
    """A process that measures one of the steps whenever it is asked; returns the pipe to it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=work, args=(name, theirs), daemon=True).start()
    ours.recv()
    return ours


def work(name: str, connection) -> None:
    """Warm up, then answer each "measure" with the images a second of a few steps in a row."""
    step = make_step(name)
    step()
    connection.send("ready")
    while connection.recv() == "measure":
        started = time.perf_counter()
        for _ in range(STEPS):
            step()
        connection.send(STEPS * textbook.BATCH_SIZE / (time.perf_counter() - started))


def make_step(name: str):
    """One training step as a function without arguments."""
    images = data.load("mnist")
    if name == "dcgan":
        run = training.Run(methods.RECIPES["dcgan"], images, device="cpu")
        return lambda: training.gan_step(run)
    players = textbook.players(seed=0)
    real = images.batch(textbook.BATCH_SIZE, torch.Generator().manual_seed(0))[0]
    return lambda: textbook.step(*players, real, share_fakes=name != "textbook")


def summary(rates: dict[str, list[float]]) -> dict:
    """Medians, ratios of the turns, and the share of the matrix-product rate."""
    step = make_step("dcgan")
    with FlopCounterMode(display=False) as counter:
        step()
    flop = counter.get_total_flops() / textbook.BATCH_SIZE
    peak = max(rates["matmul"]) * 1e9
    ratios = {name: sorted(a / b for a, b in zip(rates["dcgan"], rates[name], strict=True)) for name in NAMES[1:]}
    return {
        "script": "benchmarks/step_speed.py",
        "images_a_second": {name: round(statistics.median(rates[name])) for name in NAMES},
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


if __name__ == "__main__":
    main()
