"""Records the trainings of lesson 04's quiz "read the curves": healthy, collapsed, saturated and overpowered ones.

    python benchmarks/record_runs.py [NAME ...]

Small DCGANs on MNIST, and one small GAN on the ring of 8 points. Recorded, every 10 steps: the losses and D's answers
(means of 10 steps), the norm of G's gradient at that step, and the spread: how far apart 64 fakes lie on average,
divided by the same of 64 real samples. What a run is called in the lesson was decided afterwards, by these numbers and
by what it draws at the end. Twenty-five settings were tried; these six are shown because they differ. The result goes
to assets/results/recorded_runs.json, run by run; a run that is there is not recorded again.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from gan_course import data, device, methods, metrics, networks, plots, training
from gan_course.data import toy
from gan_course.files import write_atomically
from gan_course.training.callbacks import Callback

RESULT = Path(methods.__file__).parent / "assets" / "results" / "recorded_runs.json"
STEPS = 400
EVERY = 10
SAMPLES = 2_000
CURVES = ("step", "d_loss", "g_loss", "d_real", "d_fake")
RING = toy.PointSet(toy.ring, name="ring")

DIGITS = replace(
    methods.RECIPES["dcgan-fast"],
    generator=methods.dcgan_generator(16),
    discriminator=methods.dcgan_discriminator(16, batch_norm=False, hidden=64),
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    penalty=None,
    ema_decay=None,
    learning_rate_decay=False,
)
POINTS = replace(
    DIGITS,
    generator=lambda shape: networks.PointGenerator(2, shape[0], (64, 64)),
    discriminator=lambda shape: networks.PointDiscriminator(shape[0], (64, 64)),
    batch_size=256,
    betas=(0.5, 0.999),
)
FAST_G = {"g_learning_rate": 1e-2, "d_learning_rate": 2e-4}
RUNS = {
    "A": replace(DIGITS, name="R1", penalty=methods.r1),
    "B": replace(DIGITS, name="slow G", g_learning_rate=3e-5),
    "C": replace(POINTS, name="fast G on the ring", **FAST_G),
    "D": replace(DIGITS, name="minimax", loss="minimax", d_learning_rate=4e-3, g_learning_rate=2e-4),
    "E": replace(DIGITS, name="fast G", **FAST_G),
    "F": replace(DIGITS, name="fast G, beta1 0.9", g_learning_rate=4e-3, d_learning_rate=1e-4, betas=(0.9, 0.99)),
}


class Recorder(Callback):
    """Notes, every EVERY steps, the norm of G's gradient and the spread of its fakes, compared with real samples."""

    def __init__(self, real: Tensor):
        self.real_spread = spread(real)
        self.g_gradient: list[float] = []
        self.spread: list[float] = []

    def on_step(self, run) -> None:
        if run.step % EVERY == 0:
            norms = [p.grad.norm() for p in run.generator.parameters() if p.grad is not None]
            self.g_gradient.append(shortened(torch.stack(norms).norm().item()))
            self.spread.append(shortened(spread(training.sample(run.generator, 64, seed=2)) / self.real_spread))


def spread(samples: Tensor) -> float:
    """The mean distance between two of the samples (N, ...)."""
    return torch.pdist(samples.flatten(1)).mean().item()


def shortened(value: float) -> float:
    """The number with four digits."""
    return float(f"{value:.4g}")


def main() -> None:
    """Record what is missing in the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(RUNS))
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    digits, test = data.load("mnist", "train"), data.load("mnist", "test").images[:SAMPLES]
    for name in arguments.names:
        result = read(arguments.out)
        if name in result["runs"]:
            continue
        recipe = RUNS[name]
        on_ring = recipe.name.endswith("ring")
        real = RING.batch(64, torch.Generator().manual_seed(0))[0] if on_ring else data.to_float(test[:64])
        run, recorder = training.Run(recipe, RING if on_ring else digits, 0, "cpu"), Recorder(real)
        training.train(run, steps=STEPS, callbacks=[recorder], log_every=EVERY)
        columns = {key: [shortened(row[key]) for row in run.history] for key in CURVES}
        columns |= {"g_gradient": recorder.g_gradient, "spread": recorder.spread}
        drawn = training.sample(run.generator, SAMPLES, seed=1)
        judged = judge_points(drawn) if on_ring else judge_digits(drawn, test)
        result["runs"][name] = {
            "settings": recipe.settings(),
            "columns": columns,
            "train_seconds": round(run.seconds, 1),
        }
        result["runs"][name] |= judged
        print(name, recipe.name, {key: column[-1] for key, column in columns.items()}, flush=True)
        write_atomically(arguments.out, (json.dumps(result) + "\n").encode())


def judge_digits(drawn: Tensor, test: Tensor) -> dict:
    """FD (digit features), and sixteen of the images as a PNG in base64."""
    extractor = metrics.extractor_for("mnist", tuple(test.shape[1:]), torch.device("cpu"))
    distance = metrics.frechet_distance(extractor(test), extractor(data.to_uint8(drawn)))
    content = io.BytesIO()
    plots.to_pil(plots.tile(drawn[:16], columns=4)).save(content, "PNG")
    return {"frechet_distance": round(distance, 1), "picture": base64.b64encode(content.getvalue()).decode()}


def judge_points(drawn: Tensor) -> dict:
    """The modes captured, and two hundred of the points."""
    captured = metrics.modes_captured(drawn, toy.ring_centers(), 0.01)
    return {"modes": captured.modes, "points": [[round(x, 3), round(y, 3)] for x, y in drawn[:200].tolist()]}


def read(path: Path) -> dict:
    """The result so far, or a new one without runs."""
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    return {
        "script": "benchmarks/record_runs.py",
        "steps": STEPS,
        "seed": 0,
        "samples": SAMPLES,
        "features": "digit features",
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "runs": {},
    }


if __name__ == "__main__":
    main()
