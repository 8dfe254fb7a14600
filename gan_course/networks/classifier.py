"""The small classifier whose inner features the course's metrics are computed on."""

from __future__ import annotations

from torch import Tensor, nn


class SmallClassifier(nn.Module):
    """Four convolutions, two poolings, one hidden layer: image to `classes` logits, with 128 features before them.

    Args:
        image_size: height and width, a multiple of 4.
        channels: 1 or 3.
        classes: number of classes.
        width: channels of the first half; the second half has twice as many.
        feature_dim: size of the hidden layer, D of the features.
    """

    def __init__(
        self, image_size: int = 28, channels: int = 1, classes: int = 10, width: int = 32, feature_dim: int = 128
    ):
        super().__init__()
        self.config = {
            "image_size": image_size,
            "channels": channels,
            "classes": classes,
            "width": width,
            "feature_dim": feature_dim,
        }
        self.image_shape = (channels, image_size, image_size)
        self.feature_dim = feature_dim
        self.trunk = nn.Sequential(
            *_block(channels, width), *_block(width, width), nn.MaxPool2d(2),
            *_block(width, 2 * width), *_block(2 * width, 2 * width), nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(2 * width * (image_size // 4) ** 2, feature_dim),
            nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(feature_dim, classes)

    def features(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] to features (N, feature_dim), none below 0."""
        return self.trunk(images)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] to logits (N, classes)."""
        return self.head(self.features(images))


def _block(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
