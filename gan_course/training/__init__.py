"""The one training loop, and what surrounds it: averaging, checkpoints, snapshots."""

from gan_course.training.auxiliary import auxiliary_d_step, auxiliary_g_step
from gan_course.training.callbacks import Checkpoints, ProgressBar, Snapshots
from gan_course.training.checkpoint import load_network, save_network
from gan_course.training.ema import ExponentialMovingAverage
from gan_course.training.infogan import infogan_step
from gan_course.training.loop import d_step, descend, g_step, gan_step, train
from gan_course.training.run import Run
from gan_course.training.sampling import rejection_sample, sample
from gan_course.training.steps import fading_noise, unrolled_g_step

__all__ = [
    "Checkpoints",
    "ExponentialMovingAverage",
    "ProgressBar",
    "Run",
    "Snapshots",
    "auxiliary_d_step",
    "auxiliary_g_step",
    "d_step",
    "descend",
    "fading_noise",
    "g_step",
    "gan_step",
    "infogan_step",
    "load_network",
    "rejection_sample",
    "sample",
    "save_network",
    "train",
    "unrolled_g_step",
]
