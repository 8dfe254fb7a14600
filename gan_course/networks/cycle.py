"""CycleGAN's generator, a ResNet for small images, and both players in pairs: there and back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_course.networks.blocks import initialise_dcgan
from gan_course.networks.translation import PatchDiscriminator, check_images, sizes_config


class ResNetGenerator(nn.Module):
    """Image to image: two halvings, residual blocks at a quarter of the size, two doublings.

    At 32x32 and width 16: (C, 32, 32) -> (16, 32, 32) -> (32, 16, 16) -> (64, 8, 8) -> blocks -> (32, 16, 16) ->
    (16, 32, 32) -> (C, 32, 32). Layers that keep the size pad by reflection, the halvings with zeros. Every layer but
    the last has an instance norm.

    Args:
        image_size: height and width, a multiple of 4.
        input_channels, channels: of the input and of the output.
        width: channels of the first layer.
        blocks: residual blocks; the paper has 6 for 128 pixels and 9 for 256 and more.
        mask: whether it draws one channel more, from 0 to 1, that says how much of each input pixel is kept. At the
            start that is 88 %, so it begins as a copy, not as noise, and has only the differences to learn. But a copy
            costs no cycle and no identity: with the paper's weights on these it became an exact one
            (benchmarks/search_translation.py).

    Raises:
        ValueError: a size that cannot be halved twice; or a mask between images of unequal channels.

    Source: Zhu et al. (2017), section 4 and appendix 7.2, after Johnson, Alahi, Fei-Fei (2016); the mask is from
    Pumarola et al. (2018), GANimation.
    """

    def __init__(
        self,
        image_size: int = 32,
        input_channels: int = 3,
        channels: int = 3,
        width: int = 16,
        blocks: int = 4,
        mask: bool = False,
    ):
        super().__init__()
        self.config = sizes_config(image_size, input_channels, channels, width) | {"blocks": blocks, "mask": mask}
        if mask and input_channels != channels:
            raise ValueError(
                f"A mask keeps pixels of the input, but that has {input_channels} channels, not {channels}."
            )
        if image_size % 4 or image_size < 12:
            raise ValueError(
                f"Images are halved twice, so their side must be a multiple of 4 from 12, not {image_size}."
            )
        self.input_shape, self.image_shape = (
            (input_channels, image_size, image_size),
            (channels, image_size, image_size),
        )
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(input_channels, width, 7, bias=False), *_norm_relu(width)]
        for inputs in (width, 2 * width):
            layers += [nn.Conv2d(inputs, 2 * inputs, 3, 2, 1, bias=False), *_norm_relu(2 * inputs)]
        layers += [ResidualBlock(4 * width) for _ in range(blocks)]
        for inputs in (4 * width, 2 * width):
            up = nn.ConvTranspose2d(inputs, inputs // 2, 3, 2, 1, output_padding=1, bias=False)
            layers += [up, *_norm_relu(inputs // 2)]
        self.layers = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, channels + mask, 7))
        self.has_mask = mask
        self.apply(initialise_dcgan)
        if mask:
            nn.init.constant_(self.layers[-1].bias[-1:], 2.0)  # sigmoid(2) = 0.88

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, input_channels, H, W) to images (N, channels, H, W), both in [-1, 1]."""
        check_images(images, self.input_shape)
        drawn = self.layers(images)
        if not self.has_mask:
            return torch.tanh(drawn)
        kept = torch.sigmoid(drawn[:, -1:])  # (N, 1, H, W)
        return kept * images + (1 - kept) * torch.tanh(drawn[:, :-1])


class ResidualBlock(nn.Module):
    """x + f(x), f two convolutions 3x3 with instance norm: (N, C, H, W) to the same."""

    def __init__(self, channels: int):
        super().__init__()
        layers = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=False), *_norm_relu(channels)]
        layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=False)]
        self.layers = nn.Sequential(*layers, nn.InstanceNorm2d(channels, affine=True))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class GeneratorPair(nn.Module):
    """Both generators of a CycleGAN in one module, so that a run and a checkpoint keep them together.

    Attributes:
        there: inputs to targets. back: targets to inputs.
    """

    def __init__(self, there: nn.Module, back: nn.Module):
        super().__init__()
        self.there, self.back, self.config = there, back, there.config
        self.input_shape, self.image_shape = there.input_shape, there.image_shape

    def forward(self, images: Tensor) -> Tensor:
        """The way there, as of any generator that translates: (N, input_channels, H, W) to (N, channels, H, W)."""
        return self.there(images)


class CyclePair(GeneratorPair):
    """Two ResNetGenerators; the arguments are those of the one for the way there."""

    def __init__(
        self,
        image_size: int = 32,
        input_channels: int = 3,
        channels: int = 3,
        width: int = 16,
        blocks: int = 4,
        mask: bool = False,
    ):
        super().__init__(
            ResNetGenerator(image_size, input_channels, channels, width, blocks, mask),
            ResNetGenerator(image_size, channels, input_channels, width, blocks, mask),
        )


class PatchPair(nn.Module):
    """Both discriminators of a CycleGAN in one module.

    Args:
        input_channels, channels: of the inputs and of the targets.
        width, layers, norm: as of PatchDiscriminator.

    Attributes:
        inputs, targets: each judges the images of its side.
    """

    def __init__(self, input_channels: int = 3, channels: int = 3, width: int = 32, layers: int = 1, norm: bool = True):
        super().__init__()
        self.config = {"input_channels": input_channels, "channels": channels, "width": width, "layers": layers}
        self.config["norm"] = norm
        self.inputs = PatchDiscriminator(input_channels, width, layers, norm)
        self.targets = PatchDiscriminator(channels, width, layers, norm)


def _norm_relu(channels: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(channels, affine=True), nn.ReLU(inplace=True)]
