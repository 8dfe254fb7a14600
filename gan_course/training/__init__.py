"""The one training loop, and what surrounds it: averaging, checkpoints, snapshots."""

from gan_course.training.callbacks import Checkpoints, ProgressBar, Snapshots
from gan_course.training.checkpoint import load_network, save_network
from gan_course.training.ema import ExponentialMovingAverage
from gan_course.training.loop import Run, d_step, g_step, gan_step, sample, train

__all__ = [
    "Checkpoints",
    "ExponentialMovingAverage",
    "ProgressBar",
    "Run",
    "Snapshots",
    "d_step",
    "g_step",
    "gan_step",
    "load_network",
    "sample",
    "save_network",
    "train",
]
