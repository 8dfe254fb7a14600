"""Networks that find the noise in x_t: a small U-Net for images, and fully connected layers for points."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

TIME_FEATURES = 64


def time_features(t: Tensor, features: int = TIME_FEATURES) -> Tensor:
    """t (N,) to sines and cosines of wavelengths from 2 pi to 2 pi * 10,000, (N, features).

    Source: Vaswani et al. (2017), section 3.5, as Ho et al. (2020) use it for the time.
    """
    places = torch.arange(features // 2, device=t.device)
    angles = t.float()[:, None] * torch.exp(places * (-math.log(10_000) / (features // 2 - 1)))
    return torch.cat([angles.sin(), angles.cos()], 1)


class TimedBlock(nn.Module):
    """Two 3x3 convolutions around which the input is led; the time shifts what lies between them.

    Args:
        inputs, outputs: channels, multiples of 8.
        time_width: numbers that describe the time.
    """

    def __init__(self, inputs: int, outputs: int, time_width: int):
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(8, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1))
        self.shift = nn.Linear(time_width, outputs)
        self.second = nn.Sequential(nn.GroupNorm(8, outputs), nn.SiLU(), nn.Conv2d(outputs, outputs, 3, padding=1))
        self.past = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """x (N, inputs, H, W) and time (N, time_width) to (N, outputs, H, W)."""
        h = self.first(x) + self.shift(time)[:, :, None, None]
        return self.past(x) + self.second(h)


class UNet(nn.Module):
    """x_t and t to an answer in x_t's shape. Most work is done at a half and a quarter of the side, where it is cheap.

    At 28x28 and width 32: (1, 28, 28) -> (32, 14, 14) -> (96, 7, 7) -> (32, 14, 14) -> (1, 28, 28), with skips at 28
    and at 14. No attention.

    Args:
        channels: 1 for grey, 3 for RGB.
        width: channels at half the side, a multiple of 16.

    Source: the shape is that of Ho et al. (2020), appendix B, very much smaller.
    """

    def __init__(self, channels: int = 1, width: int = 32):
        super().__init__()
        deep, time_width = 3 * width, 4 * TIME_FEATURES // 2
        self.time = nn.Sequential(nn.Linear(TIME_FEATURES, time_width), nn.SiLU())
        self.enter = nn.Conv2d(channels, width // 2, 3, padding=1)
        self.to_half = nn.Conv2d(width // 2, width, 4, stride=2, padding=1)
        self.down = TimedBlock(width, width, time_width)
        self.to_quarter = nn.Conv2d(width, deep, 4, stride=2, padding=1)
        self.middle = nn.ModuleList([TimedBlock(deep, deep, time_width) for _ in range(2)])
        self.from_quarter = nn.ConvTranspose2d(deep, width, 4, stride=2, padding=1)
        self.up = TimedBlock(2 * width, width, time_width)
        self.from_half = nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1)
        self.leave = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, channels, 3, padding=1))
        nn.init.zeros_(self.leave[-1].weight)  # so that it starts by saying nothing, and not with a loud guess
        nn.init.zeros_(self.leave[-1].bias)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """x (N, C, H, W) and t (N,) to the answer, (N, C, H, W)."""
        time = self.time(time_features(t))
        full = self.enter(x)  # (N, width / 2, H, W)
        half = self.down(self.to_half(full), time)  # (N, width, H / 2, W / 2)
        quarter = self.to_quarter(half)  # (N, 3 * width, H / 4, W / 4)
        for block in self.middle:
            quarter = block(quarter, time)
        half = self.up(torch.cat([self.from_quarter(quarter), half], 1), time)
        return self.leave(torch.cat([self.from_half(half), full], 1))


class PointDenoiser(nn.Module):
    """Points x_t (N, dim) and t (N,) to the noise (N, dim): three hidden layers, told the time at the entrance.

    The coordinates come with sines and cosines of them, of wavelengths 4, 2, 1, 1/2: without these a network of this
    size is too smooth to tell modes apart that are narrow against the distance between them.

    Args:
        dim: numbers in one point.
        width: units of a hidden layer.
        octaves: how many wavelengths.

    Source: for the sines Tancik et al. (2020), Fourier features let networks learn high frequency functions.
    """

    def __init__(self, dim: int = 2, width: int = 128, octaves: int = 4):
        super().__init__()
        self.octaves = octaves
        self.enter, self.time = nn.Linear(dim * (1 + 2 * octaves), width), nn.Linear(TIME_FEATURES, width)
        self.layers = nn.Sequential(
            nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, dim)
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """The noise in x."""
        angles = torch.cat([x * (2**i * math.pi / 2) for i in range(self.octaves)], 1)  # (N, dim * octaves)
        return self.layers(self.enter(torch.cat([x, angles.sin(), angles.cos()], 1)) + self.time(time_features(t)))
