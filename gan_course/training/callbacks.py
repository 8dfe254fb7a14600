"""What may watch a run: a progress bar, checkpoints, snapshots for a film."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

from gan_course.data.images import to_uint8
from gan_course.training import checkpoint
from gan_course.training.sampling import sample, translate


class Callback:
    """Does nothing; a callback overrides what it needs."""

    def on_step(self, run) -> None:
        """Called after every step; must be cheap, and must not read a tensor without need."""

    def on_end(self, run) -> None:
        """Called once, when the budget is used up or the run was stopped by hand."""


class ProgressBar(Callback):
    """One line of text: the share of the budget, images a second, and the latest losses.

    Args:
        name: what stands before the bar.
    """

    def __init__(self, name: str = "training"):
        from tqdm import tqdm

        self._bar = tqdm(
            total=100,
            desc=name,
            file=sys.stdout,
            bar_format="{desc}: {percentage:3.0f}%|{bar:20}| {elapsed}<{remaining} {postfix}",
        )
        self._start = None  # images and seconds when this bar began, which is not 0 in a resumed run

    def on_step(self, run) -> None:
        self._start = self._start or (run.images_seen, run.seconds)
        percent = int(run.progress * 100)
        if percent > self._bar.n:
            self._show(run)
            self._bar.update(percent - self._bar.n)

    def on_end(self, run) -> None:
        self._show(run)
        if run.progress >= 1:
            self._bar.update(100 - self._bar.n)
        self._bar.close()

    def _show(self, run) -> None:
        parts = [f"step {run.step}"]
        if self._start and run.seconds > self._start[1]:
            images, seconds = run.images_seen - self._start[0], run.seconds - self._start[1]
            parts.append(f"{images / seconds:,.0f} images/s")
        if run.history:
            shown = [name for name in ("d_loss", "g_loss", "l1", "cycle") if name in run.history[-1]]
            parts += [f"{name} {run.history[-1][name]:.2f}" for name in shown]
        self._bar.set_postfix_str(", ".join(parts), refresh=False)


class Checkpoints(Callback):
    """Saves the whole run at most every `seconds`, and at the end; a kill loses no more than that.

    Args:
        folder: where `run.safetensors` is kept.
        seconds: time between two checkpoints.
    """

    def __init__(self, folder: str | os.PathLike, seconds: float = 30.0):
        self.path = Path(folder) / checkpoint.RUN_FILE
        self.seconds = seconds
        self._last = time.monotonic()

    def on_step(self, run) -> None:
        if time.monotonic() - self._last >= self.seconds:
            self.on_end(run)

    def on_end(self, run) -> None:
        checkpoint.save_run(run, self.path)
        self._last = time.monotonic()


class Snapshots(Callback):
    """Keeps what the generator draws from the same codes as it learns: the frames of a training film.

    Args:
        n: images in a frame.
        frames: how many frames; the first and the last state are among them. They are closer together at the start,
            where more changes: the k-th of n is taken when (k / (n - 1))^2 of the budget is used.
        seed: of the codes.
        inputs: for a generator that turns images into images: which it is shown, (n, C, H, W), in the place of codes.
        labels: for a generator that is told a class or a domain: that of each, int64 (n,), or one for all.

    Attributes:
        images: uint8 (frames, n, C, H, W) after `stack()`; `steps` and `seconds` say when each was taken.
    """

    def __init__(
        self,
        n: int = 16,
        frames: int = 20,
        seed: int = 0,
        inputs: Tensor | None = None,
        labels: Tensor | int | None = None,
    ):
        self.n, self.frames, self.seed, self.inputs, self.labels = n, frames, seed, inputs, labels
        self.steps: list[int] = []
        self.seconds: list[float] = []
        self._images: list[Tensor] = []

    def on_step(self, run) -> None:
        if run.progress >= (len(self._images) / (self.frames - 1)) ** 2:
            self._take(run)

    def on_end(self, run) -> None:
        if not self.steps or self.steps[-1] != run.step:
            self._take(run)

    def stack(self) -> Tensor:
        """All frames, uint8 (frames, n, C, H, W)."""
        return torch.stack(self._images)

    def _take(self, run) -> None:
        if self.inputs is None:
            images = sample(run.sampler, self.n, self.seed, labels=self.labels)
        else:
            images = translate(run.sampler, self.inputs, self.seed, labels=self.labels)
        self._images.append(to_uint8(images))
        self.steps.append(run.step)
        self.seconds.append(run.seconds)
