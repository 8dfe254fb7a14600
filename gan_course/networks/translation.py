"""Image to image: the U-Net and the PatchGAN of pix2pix, for small images.

They are the paper's with fewer and narrower layers. All normalise each image by itself (instance norm). The paper has
BatchNorm with the statistics of the batch in hand, which is the same thing where its batch is 1 (it has 1 to 10). So an
output never depends on what else is in the batch, in training or later.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_course.networks.blocks import initialise_dcgan, initialise_he

Shape = tuple[int, int, int]
MOST = 4  # no layer has more than this many times the width of the first


class NoiseDropout(nn.Module):
    """Dropout that is the noise of a generator, and so stays on after training too.

    Args:
        p: the share of the numbers that become 0.

    Attributes:
        always: set it to False for an ordinary dropout, which stops in evaluation mode.

    Source: Isola et al. (2017), section 3.1: dropout in training and in use, and no other noise.
    """

    def __init__(self, p: float = 0.5):
        super().__init__()
        self.p, self.always = p, True

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, training=self.training or self.always)


class UNetGenerator(nn.Module):
    """Image to image: strided convolutions down to 1x1, transposed ones back up, and skip connections between equals.

    At 32x32 and width 24: (C, 32, 32) -> (24, 16, 16) -> (48, 8, 8) -> (96, 4, 4) -> (96, 2, 2) -> (96, 1, 1) and back.
    On the way up each layer gets what the layer below gave *and* what the encoder had at this size, joined along the
    channels, so that what is in its place already need not pass through the 96 numbers in the middle.

    Args:
        image_size: height and width, at least 4; odd sizes on the way down are found again on the way up.
        input_channels, channels: of the input and of the output.
        width: channels of the first layer; then twice as many a layer, four times at most.
        skips: whether the encoder's layers reach the decoder's. Without them it is an autoencoder.
        dropout: share of NoiseDropout in the first half of the decoder's layers.

    Source: Isola et al. (2017), section 3.2.1 and appendix 6.1.1.
    """

    def __init__(
        self,
        image_size: int = 32,
        input_channels: int = 3,
        channels: int = 3,
        width: int = 24,
        skips: bool = True,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.config = sizes_config(image_size, input_channels, channels, width) | {"skips": skips, "dropout": dropout}
        if image_size < 4:
            raise ValueError(f"A U-Net halves an image at least twice, so 4 pixels are the least, not {image_size}.")
        self.input_shape, self.image_shape = (
            (input_channels, image_size, image_size),
            (channels, image_size, image_size),
        )
        self.skips = skips
        depth = image_size.bit_length() - 1  # 28 -> 14 -> 7 -> 3 -> 1 has 4 layers, 32 -> ... -> 1 has 5
        widths = [width * min(2**i, MOST) for i in range(depth)]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, outputs in enumerate(widths):
            # No norm on the first layer, as in the paper; none at 1x1, where it would leave nothing but 0.
            norm = 0 < i < depth - 1
            self.down.append(_down(widths[i - 1] if i else input_channels, outputs, norm, first=i == 0))
        for i in reversed(range(depth)):
            inputs = widths[i] * (2 if skips and i < depth - 1 else 1)
            outputs = widths[i - 1] if i else channels
            self.up.append(_Up(inputs, outputs, norm=i > 0, dropout=dropout if i > depth // 2 else 0.0))
        self.apply(initialise_dcgan)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, input_channels, H, W) to images (N, channels, H, W), both in [-1, 1]."""
        check_images(images, self.input_shape)
        sizes, encoded, x = [], [], images
        for layer in self.down:
            sizes.append(x.shape[-2:])
            x = layer(x)
            encoded.append(x)
        for i, layer in enumerate(self.up):
            level = len(self.down) - 1 - i
            if i and self.skips:
                x = torch.cat([x, encoded[level]], dim=1)
            x = layer(x, sizes[level])
        return torch.tanh(x)


def _down(inputs: int, outputs: int, norm: bool, first: bool) -> nn.Sequential:
    """Half the size: (N, inputs, H, W) -> (N, outputs, H // 2, W // 2). What it gives is not yet activated."""
    layers = [] if first else [nn.LeakyReLU(0.2)]
    layers.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=not norm))
    return nn.Sequential(*layers, *([nn.InstanceNorm2d(outputs, affine=True)] if norm else []))


class _Up(nn.Module):
    """Twice the size, or one pixel more: (N, inputs, h, w) -> (N, outputs, *size)."""

    def __init__(self, inputs: int, outputs: int, norm: bool, dropout: float):
        super().__init__()
        self.convolve = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=not norm)
        self.after = nn.Sequential()
        if norm:
            self.after.append(nn.InstanceNorm2d(outputs, affine=True))
        if dropout:
            self.after.append(NoiseDropout(dropout))

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        return self.after(self.convolve(torch.relu(x), output_size=list(size)))


class PatchDiscriminator(nn.Module):
    """Image to a square of logits, each of which has seen one patch of it: PatchGAN.

    At 32x32, one layer and width 32: (C, 32, 32) -> (32, 16, 16) -> (64, 15, 15) -> (1, 14, 14), and a logit has seen
    16x16 pixels. LeakyReLU(0.2) inside, instance norm on all but the first and the last layer. (Its mean and variance,
    which are of the whole image, are all that a logit knows of the rest.)

    Args:
        channels: of what it judges. A conditional D, as in pix2pix, gets input and output joined along the channels.
        width: channels of the first layer; then twice as many a layer, eight times at most.
        layers: layers of stride 2. 0, 1, 2, 3 see patches of 1, 16, 34, 70 pixels; at 0 all kernels are 1x1 (PixelGAN).
        norm: whether there is an instance norm. It hides an image's mean colours and contrast from D; without it the
            weights start larger (He), or hardly anything of an image would arrive at the last layer.

    Attributes:
        receptive_field: side of the patch that one logit has seen.

    Source: Isola et al. (2017), section 3.2.2 and appendix 6.1.2.
    """

    def __init__(self, channels: int = 6, width: int = 32, layers: int = 1, norm: bool = True):
        super().__init__()
        self.config = {"channels": channels, "width": width, "layers": layers, "norm": norm}
        kernel, padding = (4, 1) if layers else (1, 0)
        widths = [channels, *(width * min(2**i, 8) for i in range(max(layers, 1) + 1)), 1]
        strides = [2] * layers + [1] * (len(widths) - 1 - layers)
        modules: list[nn.Module] = []
        for i, stride in enumerate(strides):
            normed = norm and 0 < i < len(strides) - 1
            modules.append(nn.Conv2d(widths[i], widths[i + 1], kernel, stride, padding, bias=not normed))
            modules += [nn.InstanceNorm2d(widths[i + 1], affine=True)] if normed else []
            modules += [nn.LeakyReLU(0.2, inplace=True)] if i < len(strides) - 1 else []
        self.layers = nn.Sequential(*modules)
        self.receptive_field = receptive_field([(kernel, stride) for stride in strides])
        self.apply(initialise_dcgan if norm else initialise_he)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, channels, H, W) in [-1, 1] to logits (N, 1, h, w)."""
        return self.layers(images)


def receptive_field(layers: Sequence[tuple[int, int]]) -> int:
    """The side of the square of input pixels that one output of a chain of convolutions has seen.

    Walked from the last layer to the first: an output of side r has seen (r - 1) * stride + kernel inputs.

    Args:
        layers: (kernel, stride) of each, the first one first.
    """
    side = 1
    for kernel, stride in reversed(layers):
        side = (side - 1) * stride + kernel
    return side


def sizes_config(image_size: int, input_channels: int, channels: int, width: int) -> dict[str, int]:
    """What every generator here says of itself in its `config`."""
    return {"image_size": image_size, "input_channels": input_channels, "channels": channels, "width": width}


def check_images(images: Tensor, shape: Shape) -> None:
    """Raise a ValueError in plain words unless the images have the shape (N, *shape)."""
    if images.ndim != 4 or tuple(images.shape[1:]) != shape:
        raise ValueError(
            f"The generator translates images of shape (N, {', '.join(map(str, shape))}), "
            f"but got {tuple(images.shape)}."
        )
