"""An exponential moving average of a network's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


class ExponentialMovingAverage:
    """A copy of a network whose weights follow the live ones slowly: average <- decay * average + (1 - decay) * live.

    While young it follows faster, with decay (1 + n) / (10 + n) after n updates, so that the random weights of the
    start are soon forgotten. BatchNorm's running statistics are averaged like weights; they belong to them. The vectors
    that a spectral norm keeps are taken over as they are: a mean of unit vectors does not have the length 1.

    Args:
        network: the live network.
        decay: between 0 and 1; 0.998 remembers about the last 500 steps.

    Raises:
        ValueError: the decay is outside [0, 1).

    Source: Karras et al. (2018), section 3, for GANs; the faster start is TensorFlow's `num_updates`.
    """

    def __init__(self, network: nn.Module, decay: float):
        if not 0 <= decay < 1:
            raise ValueError(f"The decay of an average must be at least 0 and below 1, but it is {decay}.")
        self.decay = decay
        self.updates = 0
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._average, self._copies = _split(self.network)
        self._live, self._originals = _split(network)

    @torch.no_grad()
    def update(self) -> None:
        """Move the average one step towards the live weights; one fused operation for all tensors."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._average, self._live, 1 - decay)
        for copied, original in zip(self._copies, self._originals, strict=True):
            copied.copy_(original)
        self.updates += 1


def _split(network: nn.Module) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """The tensors that are averaged, and those that are copied: the vectors of a spectral norm, and all integers."""
    averaged, copied = [], []
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        is_vector = name.endswith(("._u", "._v"))  # torch's names
        (averaged if tensor.is_floating_point() and not is_vector else copied).append(tensor)
    return averaged, copied
