"""A generator that draws what to add to its input, and a pair of them, for a CycleGAN between images that are alike."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_course.networks.cycle import GeneratorPair
from gan_course.networks.translation import check_images


class CorrectionGenerator(nn.Module):
    """Image to image: the input plus a correction, which is 0 at the start.

    At 32x32 and width 16: (C, 32, 32) -> (16, 32, 32) -> (32, 16, 16) -> blocks -> (32, 16, 16) -> (16, 32, 32), joined
    with the first layer's 16, -> (16, 32, 32) -> (C, 32, 32). Nothing is smaller than half the image, and the input
    itself goes round everything, so no detail has to be drawn anew. No layer normalises, so colours stay what they
    are. Borders are padded with zeros, by which it can tell where the image ends.

    While it trains, its outputs may leave [-1, 1]: a pixel that was cut off there would have no gradient, and could
    never come back. In evaluation mode they are cut off.

    Args:
        image_size: height and width, a multiple of 2.
        channels: of the input and of the output.
        width: channels of the first layer.
        blocks: residual blocks at half the size.

    Raises:
        ValueError: a size that cannot be halved.

    Source: the course. Adding to the input is a residual block (He et al., 2016) around the whole generator; blocks
    begin with 0 as in Zhang, Dauphin, Ma (2019), Fixup.
    """

    def __init__(self, image_size: int = 32, channels: int = 3, width: int = 16, blocks: int = 3):
        super().__init__()
        self.config = {"image_size": image_size, "channels": channels, "width": width, "blocks": blocks}
        if image_size % 2:
            raise ValueError(f"Images are halved once, so their side must be even, not {image_size}.")
        self.input_shape = self.image_shape = (channels, image_size, image_size)
        self.first = nn.Conv2d(channels, width, 5, padding=2)
        self.down = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)
        self.blocks = nn.Sequential(*[_Block(2 * width) for _ in range(blocks)])
        self.up = nn.Conv2d(2 * width, width, 3, padding=1)
        self.join = nn.Conv2d(2 * width, width, 3, padding=1)
        self.last = _zero(nn.Conv2d(width, channels, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) to images (N, C, H, W), both in [-1, 1]; in training mode also beyond."""
        check_images(images, self.input_shape)
        fine = _active(self.first(images))  # (N, width, H, W)
        coarse = _active(self.blocks(_active(self.down(fine))))  # (N, 2 * width, H / 2, W / 2)
        coarse = F.interpolate(_active(self.up(coarse)), scale_factor=2)  # (N, width, H, W)
        drawn = images + self.last(_active(self.join(torch.cat([fine, coarse], dim=1))))
        return drawn if self.training else drawn.clamp(-1, 1)


class CorrectionPair(GeneratorPair):
    """Two CorrectionGenerators, each of which begins as a copy; the arguments are theirs."""

    def __init__(self, image_size: int = 32, channels: int = 3, width: int = 16, blocks: int = 3):
        super().__init__(*(CorrectionGenerator(image_size, channels, width, blocks) for _ in range(2)))


class _Block(nn.Module):
    """x + f(x), f two convolutions 3x3, the second of which is 0 at the start: (N, C, H, W) to the same."""

    def __init__(self, channels: int):
        super().__init__()
        first, second = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.layers = nn.Sequential(first, nn.ReLU(inplace=True), _zero(second))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _active(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)
