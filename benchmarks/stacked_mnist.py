"""Stacked MNIST: how many of 1,000 modes the course's best recipe finds.

    OMP_NUM_THREADS=1 python benchmarks/stacked_mnist.py [--steps 30000] [--run DIR] [--out FILE]

An image is three random digits of MNIST's training split as red, green and blue: 1,000 modes, almost equally frequent.
As in PacGAN (Lin et al. 2018, and the authors' code), 26,000 samples are judged by a classifier of single digits, here
the shipped one: a mode counts when one sample falls into it, and KL is KL(q || uniform), in nats, of the shares q.
There the training set is 128,000 images drawn once from digits of both splits; here every batch draws new ones. One
seed.

The run is judged as it goes and the result written each time; a run that was stopped goes on from its checkpoint in
DIR. Seconds are of the processor, on one core, without the judging.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from gan_course import data, device, methods, metrics, training
from gan_course.files import write_atomically
from gan_course.training import checkpoint

RESULT = Path(methods.__file__).parent / "assets" / "results" / "stacked_mnist.json"
SAMPLES = 26_000
JUDGE_EVERY = 2_500  # steps
REAL = "real digits of the test split"
# Modes of 1,000 and KL, from PacGAN's Table 2, for the networks of the VEEGAN paper.
PUBLISHED = {
    "DCGAN": {"modes": 99.0, "kl": 3.40},
    "ALI": {"modes": 16.0, "kl": 5.40},
    "Unrolled GAN": {"modes": 48.7, "kl": 4.32},
    "VEEGAN": {"modes": 150.0, "kl": 2.95},
    "PacDCGAN2": {"modes": 1000.0, "kl": 0.06},
}
RECIPE = replace(
    methods.RECIPES["dcgan-fast"],
    name="stacked-mnist",
    source="dcgan-fast with three channels, and the relativistic loss with R1 and R2 in place of its own",
    loss="relativistic",
    penalty=methods.r1_r2,
)


class StackedDigits:
    """Three random digits as the channels of one image: (n, 3, 28, 28) in [-1, 1], and their modes (n,), 0 to 999.

    Args:
        digits: an ImageSet of single digits.
    """

    name, image_shape = "stacked-mnist", (3, 28, 28)

    def __init__(self, digits: data.ImageSet):
        self.digits = digits

    def to(self, place: torch.device | str) -> StackedDigits:
        """The same on another device."""
        return StackedDigits(self.digits.to(place))

    def batch(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """`n` new images and their modes."""
        images, labels = self.digits.batch(3 * n, generator)
        return images.view(n, 3, 28, 28), mode_of(labels.view(n, 3))


def mode_of(digits: Tensor) -> Tensor:
    """(N, 3) digits to the number that they spell, (N,)."""
    return digits @ torch.tensor([100, 10, 1], device=digits.device)


@torch.inference_mode()
def judge(images: Tensor, classifier: nn.Module) -> dict[str, float]:
    """Modes found, and KL(q || uniform) in nats.

    Args:
        images: (N, 3, 28, 28) in [-1, 1].
        classifier: (N, 1, 28, 28) to logits (N, 10).
    """
    guesses = torch.cat([classifier(part).argmax(1) for part in images.reshape(-1, 1, 28, 28).split(500)])
    modes, kl = metrics.classes_captured(mode_of(guesses.view(-1, 3)), 1000)
    return {"modes": modes, "kl": round(kl, 4)}


class Judge(training.callbacks.Callback):
    """Judges the averaged generator now and then, and keeps the result file.

    Args:
        path: the result file; what it holds of an earlier part of this run is kept.
        step: where the run stands.
    """

    def __init__(self, path: Path, steps: int, step: int):
        self.path, self.steps = path, steps
        self.classifier, _ = training.load_network("features-digits", "cpu")
        old = json.loads(path.read_text()) if path.exists() and step else {}
        self.progress = [row for row in old.get("progress", []) if row["step"] <= step]
        self.seconds = old.get("seconds", 0.0)
        digits, _ = StackedDigits(data.load("mnist", "test")).batch(SAMPLES, torch.Generator().manual_seed(0))
        self.real = old.get(REAL) or judge(digits, self.classifier)
        self.since = time.process_time()

    def on_step(self, run) -> None:
        if run.step % JUDGE_EVERY == 0:
            self._pause()
            images = training.sample(run.sampler, SAMPLES, seed=1)
            row = {"step": run.step, "seconds": round(self.seconds, 1), **judge(images, self.classifier)}
            self.progress.append(row)
            print(json.dumps(row), flush=True)
            self._write(run)
            self.since = time.process_time()

    def on_end(self, run) -> None:
        self._pause()
        self._write(run)

    def _pause(self) -> None:
        self.seconds += time.process_time() - self.since
        self.since = time.process_time()

    def _write(self, run) -> None:
        result = {
            "script": "benchmarks/stacked_mnist.py",
            "samples": SAMPLES,
            "seed": run.seed,
            "steps": self.steps,
            "step": run.step,
            "finished": run.step >= self.steps,
            "seconds": round(self.seconds, 1),
            "hardware": device.describe(run.device),
            "torch": torch.__version__,
            "recipe": run.recipe.settings(),
            "ours": self.progress[-1] if self.progress else None,
            REAL: self.real,
            "published": PUBLISHED,
            "progress": self.progress,
        }
        write_atomically(self.path, (json.dumps(result, indent=1) + "\n").encode())


def main() -> None:
    """Train, or go on with it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--run", type=Path, default=Path("runs/stacked-mnist"))
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    run = training.Run(RECIPE, StackedDigits(data.load("mnist")), seed=0, device="cpu")
    state = arguments.run / checkpoint.RUN_FILE
    if state.exists():
        checkpoint.load_run(run, state)
    judge_and_save = [Judge(arguments.out, arguments.steps, run.step), training.Checkpoints(arguments.run, 60.0)]
    training.train(run, arguments.steps, callbacks=judge_and_save)


if __name__ == "__main__":
    main()
