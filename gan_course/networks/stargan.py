"""StarGAN's pair: one generator for all domains, and a discriminator that names the domain too.

And a generator for the same duty that learns it in minutes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_course.networks.conditional import class_shares
from gan_course.networks.translation import check_images


class StarGANLogits(NamedTuple):
    """What the discriminator says: logits (N, 1, h, w), real or generated, one a patch; class_logits (N, K), of which
    of K domains the whole image is.
    """

    logits: Tensor
    class_logits: Tensor


class StarGANGenerator(nn.Module):
    """An image and the domain it is to go to, to the image there. One network for every pair of domains.

    The domain is joined to the image as K planes, all ones for the one that is wanted and zeros for the others. Then a
    7x7 convolution, `halvings` of the size, residual blocks there, and as many doublings. At 28x28, width 16 and two
    halvings: (C + K, 28, 28) -> (16, 28, 28) -> (32, 14, 14) -> (64, 7, 7) -> blocks -> (32, 14, 14) -> (16, 28, 28)
    -> (C, 28, 28).

    Nothing carries the input past the network, so that it does not start as the identity.

    Args:
        classes: number of domains K.
        image_size: height and width, a multiple of 2^halvings, and at least 4 pixels after them.
        channels: 1 for grey, 3 for RGB.
        width: channels of the first layer; the paper has 64.
        blocks: residual blocks; the paper has 6.
        halvings: how often the size is halved; the paper has 2, which makes 32 of its 128 pixels.
        first_norm: whether the first layer has an instance norm, as in the paper. A plane of ones adds the same number
            to a whole channel, and an instance norm takes it out again: then only the zeros beyond the image's edge
            tell the domain, and on a small image G is better without.
        padding_mode: what lies beyond the edge: "zeros", as in the paper, or "reflect". With "reflect" and first_norm
            the generator is deaf: its output does not depend on the domain at all.

    Source: Choi et al. (2018), appendix (network architecture), and the authors' code; instance norms without running
    statistics here, so that training and evaluation are the same.
    """

    def __init__(
        self,
        classes: int = 5,
        image_size: int = 28,
        channels: int = 1,
        width: int = 64,
        blocks: int = 6,
        halvings: int = 2,
        first_norm: bool = False,
        padding_mode: str = "zeros",
    ):
        super().__init__()
        self.config = {
            "classes": classes,
            "image_size": image_size,
            "channels": channels,
            "width": width,
            "blocks": blocks,
            "halvings": halvings,
            "first_norm": first_norm,
            "padding_mode": padding_mode,
        }
        if image_size % 2**halvings or image_size < 4 * 2**halvings:
            raise ValueError(
                f"After {halvings} halvings there must be whole pixels, at least 4, which cannot be for {image_size}."
            )
        self.classes = classes
        self.input_shape = self.image_shape = (channels, image_size, image_size)
        mode = {"padding_mode": padding_mode}
        first = nn.Conv2d(channels + classes, width, 7, padding=3, bias=not first_norm, **mode)
        layers = [first, *(_norm_relu(width) if first_norm else [nn.ReLU(inplace=True)])]
        widths = [width * 2**i for i in range(halvings + 1)]
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False, **mode), *_norm_relu(outputs)]
        layers += [_Residual(widths[-1], padding_mode) for _ in range(blocks)]
        for inputs, outputs in pairwise(reversed(widths)):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), *_norm_relu(outputs)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, channels, 7, padding=3, **mode), nn.Tanh())

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1], and the domains to bring them to, to images (N, C, H, W) in [-1, 1].

        Args:
            labels: int64 (N,), or float shares of domains (N, K).

        Raises:
            ValueError: images of another shape, or labels of another shape or type.
        """
        check_images(images, self.input_shape)
        shares = class_shares(labels, self.classes).to(images.dtype)  # (N, K)
        return self.layers(torch.cat([images, _planes(shares, images)], 1))


class StarGANDigitGenerator(nn.Module):
    """A stroke on a ground and the domain it is to go to, to the image there: a small U-Net that sees light on dark.

    An image that is light on the whole, by its mean m, is first turned into its negative: x is the image times
    tanh(-10 m). Without that G turned light into dark here and not there, and back again: the cycle is content with it,
    and digits were torn to pieces. In which domains to draw dark on light is still G's to learn.

    At 28x28 and width 16: x, domain and place (C + K + 2, 28, 28) -> (16, 28, 28) -> (32, 14, 14) -> blocks ->
    (16, 28, 28), joined with the first layer's 16 -> (16, 28, 28) -> (C, 28, 28). Place is two planes, the row and the
    column from -1 to 1: what leans moves further, the further up it is.

    Args:
        classes: number of domains K.
        image_size: height and width, a multiple of 2 from 8.
        channels: 1 for grey, 3 for RGB.
        width: channels of the first layer.
        blocks: residual blocks at half the size.

    Raises:
        ValueError: an odd size, or one below 8.

    Source: the course. Place is that of Liu et al. (2018), CoordConv.
    """

    def __init__(self, classes: int = 5, image_size: int = 28, channels: int = 1, width: int = 16, blocks: int = 3):
        super().__init__()
        self.config = {"classes": classes, "image_size": image_size, "channels": channels}
        self.config |= {"width": width, "blocks": blocks}
        if image_size % 2 or image_size < 8:
            raise ValueError(f"Images are halved once, so their side must be even and 8 or more, not {image_size}.")
        self.classes = classes
        self.input_shape = self.image_shape = (channels, image_size, image_size)
        self.first = nn.Sequential(nn.Conv2d(channels + classes + 2, width, 5, padding=2), nn.ReLU(inplace=True))
        self.coarse = nn.Sequential(
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
            *_norm_relu(2 * width),
            *(_Residual(2 * width, "zeros") for _ in range(blocks)),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
            *_norm_relu(width),
        )
        self.join = nn.Sequential(nn.Conv2d(2 * width, width, 3, padding=1), nn.ReLU(inplace=True))
        self.last = nn.Conv2d(width, channels, 3, padding=1)
        line = torch.linspace(-1, 1, image_size)
        place = torch.stack(torch.meshgrid(line, line, indexing="ij"))[None]  # (1, 2, H, W)
        self.register_buffer("place", place, persistent=False)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """As of StarGANGenerator."""
        check_images(images, self.input_shape)
        shares = class_shares(labels, self.classes).to(images.dtype)  # (N, K)
        x = torch.tanh(-10 * images.mean((1, 2, 3), keepdim=True)) * images  # light on dark
        place = self.place.to(images.dtype).expand(len(images), -1, -1, -1)
        fine = self.first(torch.cat([x, _planes(shares, images), place], 1))  # (N, width, H, W)
        return torch.tanh(self.last(self.join(torch.cat([fine, self.coarse(fine)], 1))))


def _planes(shares: Tensor, images: Tensor) -> Tensor:
    """Shares of domains (N, K) as planes of the images' size, (N, K, H, W)."""
    return shares[:, :, None, None].expand(-1, -1, *images.shape[2:])


class _Residual(nn.Module):
    """x + f(x), f two convolutions 3x3 with instance norm: (N, C, H, W) to the same."""

    def __init__(self, channels: int, padding_mode: str):
        super().__init__()
        first, second = (
            nn.Conv2d(channels, channels, 3, padding=1, bias=False, padding_mode=padding_mode) for _ in range(2)
        )
        self.layers = nn.Sequential(first, *_norm_relu(channels), second, nn.InstanceNorm2d(channels, affine=True))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def _norm_relu(channels: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(channels, affine=True), nn.ReLU(inplace=True)]


class StarGANDiscriminator(nn.Module):
    """Is each patch of this image real, and of which domain is the image? Two heads on one trunk.

    The trunk halves the image until its side is 2 or 3, twice as many channels each time. At 28x28 and width 32:
    (C, 28, 28) -> (32, 14, 14) -> (64, 7, 7) -> (128, 3, 3), and there the heads: a 3x3 convolution to (1, 3, 3), and
    one as large as the square to the K domains. It is never told the domain: it must find it.

    Args:
        classes: number of domains K.
        image_size: height and width, 8 or more.
        channels: 1 for grey, 3 for RGB.
        width: channels of the first layer; the paper has 64, and six halvings of 128 pixels.
        patches: whether the first head judges patch by patch, as in the paper; else it has one logit, (1, 1, 1), and
            sees the whole image. On small images of strokes that learns much faster.
        norm: whether all layers but the first have an instance norm; the paper has none.

    Source: Choi et al. (2018), appendix (network architecture), and the authors' code.
    """

    def __init__(
        self,
        classes: int = 5,
        image_size: int = 28,
        channels: int = 1,
        width: int = 64,
        patches: bool = True,
        norm: bool = False,
    ):
        super().__init__()
        self.config = {"classes": classes, "image_size": image_size, "channels": channels, "width": width}
        self.config |= {"patches": patches, "norm": norm}
        count = image_size.bit_length() - 2  # 28 -> 14 -> 7 -> 3, 32 -> ... -> 2
        side = image_size >> count
        widths = [channels, *(width * 2**i for i in range(count))]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1))
            if norm and len(layers) > 1:
                layers.append(nn.InstanceNorm2d(outputs, affine=True))
            layers.append(nn.LeakyReLU(0.01, inplace=True))
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Conv2d(widths[-1], 1, *((3, 1, 1) if patches else (side,)), bias=False)
        self.class_head = nn.Conv2d(widths[-1], classes, side, bias=False)

    def forward(self, images: Tensor) -> StarGANLogits:
        """Images (N, C, H, W) in [-1, 1] to both heads' logits; no softmax, the loss takes it."""
        features = self.trunk(images)
        return StarGANLogits(self.head(features), self.class_head(features).flatten(1))
