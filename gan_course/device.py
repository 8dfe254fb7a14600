"""Where the tensors live, how large a lesson runs, and seeds."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys

import torch

PROFILES = ("smoke", "laptop", "gpu")


def get(name: str | torch.device | None = None) -> torch.device:
    """The device to compute on: `name`, else $GAN_COURSE_DEVICE, else cuda, else mps, else cpu.

    Raises:
        ValueError: the name is not a device, or this machine does not have it.
    """
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    wanted = name or os.environ.get("GAN_COURSE_DEVICE") or best
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise ValueError(f"{wanted!r} is not a device; use cuda, mps or cpu.") from None
    missing = (device.type == "cuda" and not torch.cuda.is_available()) or (
        device.type == "mps" and not torch.backends.mps.is_available()
    )
    if missing:
        raise ValueError(
            f"The device {wanted!r} is not available on this machine; leave GAN_COURSE_DEVICE unset, or set it to cpu."
        )
    return device


def prepare(device: torch.device) -> None:
    """Make training fast on this device.

    CUDA: cuDNN picks its kernels by trying them, and float32 products may use TF32. A CPU under Linux: the memory of
    freed tensors is kept; to hand it back and fetch it anew in every step made a wide DCGAN slower.
    """
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
    elif device.type == "cpu" and sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc has it, musl does not
        if mallopt:
            trim_threshold, mmap_threshold = -1, -3  # the names' numbers in malloc.h
            mallopt(trim_threshold, 2**30)
            mallopt(mmap_threshold, 32 * 2**20)  # the most that every glibc takes


def autocast(device: torch.device) -> contextlib.AbstractContextManager:
    """bfloat16 arithmetic where the GPU has it; otherwise float32 (on a CPU bfloat16 was measured slower)."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def profile() -> str:
    """How large a lesson runs: $GAN_COURSE_PROFILE, else "gpu" where there is CUDA, else "laptop".

    "smoke" only proves that the code runs, "laptop" trains for at most five minutes on two cores, "gpu" is full size.
    """
    name = os.environ.get("GAN_COURSE_PROFILE") or ("gpu" if get().type == "cuda" else "laptop")
    if name not in PROFILES:
        raise ValueError(f"GAN_COURSE_PROFILE is {name!r}; use one of {', '.join(PROFILES)}.")
    return name


def by_profile(*, smoke, laptop, gpu):
    """The value for the profile in force: `steps = by_profile(smoke=5, laptop=500, gpu=5000)`."""
    return {"smoke": smoke, "laptop": laptop, "gpu": gpu}[profile()]


def seed(number: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Seed torch everywhere, and return a generator of random numbers on `device` with the same seed."""
    torch.manual_seed(number)
    return torch.Generator(device).manual_seed(number)


def describe(device: torch.device | None = None) -> str:
    """One line about the hardware, as model cards and lessons print it."""
    device = device or get()
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    chip = "Apple GPU (mps)" if device.type == "mps" else "no GPU used"
    threads = torch.get_num_threads()
    return f"{threads} CPU thread{'s' if threads > 1 else ''} ({platform.machine()}), {chip}"


def announce(laptop: str, gpu: str) -> None:
    """Print what a lesson runs on, and how long it will take there.

    Args:
        laptop, gpu: the time in words, for each profile.
    """
    device = get()
    expected = by_profile(smoke="seconds, nothing is learned", laptop=laptop, gpu=gpu)
    print(f"device   {device}: {describe(device)}\nprofile  {profile()}\ntime     {expected}")
