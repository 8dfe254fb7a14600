"""From images to the features that metrics are computed on. A number always says which features it is of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from gan_course import networks
from gan_course.data.images import to_float
from gan_course.metrics.inputs import check_range
from gan_course.training.checkpoint import load_network

SHIPPED = {
    "mnist": "digits",
    "fashion": "fashion",
    "fashion-full": "fashion",
    "emoji-noto": "emoji",
    "emoji-twemoji": "emoji",
    "emoji-outlines": "emoji",
    "emoji-styles": "emoji",
}


@dataclass(frozen=True)
class FeatureExtractor:
    """Calls a fixed classifier for its features.

    Attributes:
        name: as reports print it, for example "digit features".
        network: a SmallClassifier in evaluation mode.
    """

    name: str
    network: nn.Module

    def __call__(self, images: Tensor, batch_size: int = 250) -> Tensor:
        """Features (N, 128), float32 on the CPU.

        Args:
            images: (N, C, H, W), uint8 in 0..255 or float in [-1, 1].

        Raises:
            ValueError: another image shape than the network was made for, NaN or values outside [-1, 1].
        """
        return self._each(self.network.features, images, batch_size)

    def classify(self, images: Tensor, batch_size: int = 250) -> Tensor:
        """The class that the classifier takes each image for, int64 (N,) on the CPU. Arguments as of a call.

        Raises:
            ValueError: as a call; or the network was never trained, so that it knows no classes.
        """
        if self.name.startswith("random"):
            raise ValueError("A random network knows no classes; take a set that ships with the course.")
        return self._each(self.network, images, batch_size).argmax(1)

    @torch.inference_mode()
    def _each(self, function: Callable[[Tensor], Tensor], images: Tensor, batch_size: int) -> Tensor:
        """What a function of the network makes of the images, batch by batch."""
        if tuple(images.shape[1:]) != self.network.image_shape:
            raise ValueError(
                f"The {self.name} are made for images of shape {self.network.image_shape}, but these have "
                f"{tuple(images.shape[1:])}."
            )
        check_range(images)
        place = next(self.network.parameters()).device
        parts = []
        for part in images.split(batch_size):
            part = part.to(place)
            part = part if part.is_floating_point() else to_float(part)
            part = part.contiguous(memory_format=torch.channels_last)
            parts.append(function(part).cpu())
        return torch.cat(parts)


@cache
def extractor_for(
    data_name: str, image_shape: tuple[int, int, int], device: torch.device | None = None
) -> FeatureExtractor:
    """The features for a data set: the shipped classifier's for a set that ships, else a fixed random network's.

    Args:
        data_name: the `.name` of an ImageSet.
        image_shape: (C, H, W) of its images.
    """
    kind = SHIPPED.get(data_name)
    if kind:
        network, _ = load_network(f"features-{kind}", device)
        if network.image_shape == tuple(image_shape):
            label = {"digits": "digit", "fashion": "fashion", "emoji": "emoji"}[kind]
            return FeatureExtractor(f"{label} features", network.to(memory_format=torch.channels_last))
    return FeatureExtractor("random-network features", _random_network(tuple(image_shape), device))


def _random_network(image_shape: tuple[int, int, int], device: torch.device | None) -> nn.Module:
    """A classifier that was never trained, with the same weights on every machine: a weak but fixed yardstick."""
    channels, size, _ = image_shape
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(20140610)  # the CPU's alone, since no other comes back
        network = networks.SmallClassifier(size, channels, classes=10, width=32)
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    return network.eval().requires_grad_(False).to(device or "cpu")
