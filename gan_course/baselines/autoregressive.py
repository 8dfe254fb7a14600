"""PixelCNN: an image as a sequence of pixels, each with a distribution given those before it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course.baselines import pixels
from gan_course.networks.blocks import check_latent


class MaskedConv2d(nn.Conv2d):
    """A convolution that sees the rows above and, in its own row, what lies to the left.

    Args:
        kind: "A" leaves the pixel itself out, "B" sees it too. The first layer of a PixelCNN, which reads the image,
            must be A; all others are B, since their input at a pixel does not know the pixel.
        inputs, outputs: channels.
        kernel: its side, odd.

    Raises:
        ValueError: another kind.

    Source: van den Oord, Kalchbrenner, Kavukcuoglu (2016), Pixel recurrent neural networks, section 3.4.
    """

    def __init__(self, kind: str, inputs: int, outputs: int, kernel: int):
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        if kind not in ("A", "B"):
            raise ValueError(f"A mask is of kind 'A' or 'B', not {kind!r}.")
        mask = torch.zeros(kernel, kernel)
        mask[: kernel // 2] = 1
        mask[kernel // 2, : kernel // 2 + (kind == "B")] = 1
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)

    def rows_seen(self) -> Tensor:
        """The weights that are not all masked, as a matrix (rows * kernel * inputs, outputs), for one pixel's patch."""
        seen = (self.weight * self.mask)[:, :, : self.kernel_size[0] // 2 + 1]  # (outputs, inputs, rows, kernel)
        return seen.permute(2, 3, 1, 0).flatten(0, 2)


class Block(nn.Module):
    """x + a 1x1 convolution to half the channels, a masked 3x3 one, and a 1x1 one back; ReLU before each.

    Source: the same paper, figure 5, left.
    """

    def __init__(self, width: int):
        super().__init__()
        self.narrow, self.widen = nn.Conv2d(2 * width, width, 1), nn.Conv2d(width, 2 * width, 1)
        self.look = MaskedConv2d("B", width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 2 * width, H, W) to the same shape."""
        return x + self.widen(self.look(self.narrow(x.relu()).relu()).relu())


class PixelCNN(nn.Module):
    """p(x) = product of p(pixel | pixels above and to the left), over a few grey levels.

    Images are reduced to `levels` grey levels: 16 levels of equal width, so that the last layer and the sampling stay
    cheap. What it draws has these levels only, from -1 to 1. A plain stack of masked convolutions has a blind spot to
    the right above the pixel; the gated PixelCNN (van den Oord et al., 2016b) mends it.

    Called with codes it draws one pixel after the other, each by the inverse of its distribution function at ndtr(z):
    784 normal numbers are one image. Activations of earlier pixels are kept, so that all pixels together cost what one
    pass over the image costs.

    Args:
        image_shape: (1, H, W); only grey images.
        width: half the channels of a hidden layer.
        blocks: residual blocks; each sees one pixel further.
        levels: grey levels, a power of two, 2 to 256.

    Raises:
        ValueError: they are no grey images, or there cannot be so many levels.

    Source: van den Oord et al. (2016), section 3.5 and Table 1, smaller.
    """

    def __init__(
        self, image_shape: tuple[int, int, int] = (1, 28, 28), width: int = 24, blocks: int = 5, levels: int = 16
    ):
        super().__init__()
        if len(image_shape) != 3 or image_shape[0] != 1:
            raise ValueError(
                f"This PixelCNN is made for grey images (1, H, W), but these have the shape {tuple(image_shape)}."
            )
        _check_levels(levels)
        self.config = {"image_shape": list(image_shape), "width": width, "blocks": blocks, "levels": levels}
        self.image_shape, self.levels = tuple(image_shape), levels
        self.latent_dim = image_shape[1] * image_shape[2]
        self.first = MaskedConv2d("A", 1, 2 * width, 7)
        self.blocks = nn.Sequential(*[Block(width) for _ in range(blocks)])
        self.head = nn.Sequential(
            nn.ReLU(), nn.Conv2d(2 * width, 2 * width, 1), nn.ReLU(), nn.Conv2d(2 * width, levels, 1)
        )

    def reduce(self, images: Tensor) -> Tensor:
        """Images in [-1, 1] with only `levels` grey levels, in [-1, 1]: what the model is a model of."""
        return pixels.from_levels(pixels.to_levels(images, self.levels), self.levels)

    def logits(self, images: Tensor) -> Tensor:
        """Images (N, 1, H, W) to logits (N, levels, H, W) of each pixel's level given the pixels before it."""
        return self.head(self.blocks(self.first(self.reduce(images))))

    def log_likelihood(self, images: Tensor) -> Tensor:
        """log p of the reduced images, exactly: (N,) in nats."""
        target = pixels.to_levels(images, self.levels).long().squeeze(1)  # (N, H, W)
        return -F.cross_entropy(self.logits(images), target, reduction="none").flatten(1).sum(1)

    @torch.no_grad()
    def forward(self, z: Tensor, given: Tensor | None = None) -> Tensor:
        """z (N, H * W) from N(0, 1) to images (N, 1, H, W) in [-1, 1], pixel by pixel.

        Args:
            given: images (N, 1, H, W) whose pixels are kept where they are not NaN, to fill in the rest.
        """
        check_latent(z, self.latent_dim)
        _, height, width = self.image_shape
        u, painter = torch.special.ndtr(z).view(-1, height, width), _Painter(self, len(z), z)
        for row in range(height):
            for column in range(width):
                chances = painter.logits(row, column).softmax(1).cumsum(1)  # (N, levels)
                level = (chances < u[:, row, column, None]).sum(1).clamp(max=self.levels - 1)
                pixel = pixels.from_levels(level.to(z.dtype), self.levels)
                if given is not None:
                    kept = self.reduce(given[:, 0, row, column])
                    pixel = torch.where(kept.isnan(), pixel, kept)
                painter.image[:, row + 3, column + 3, 0] = pixel
        return painter.image[:, 3:-3, 3:-3, 0].unsqueeze(1).contiguous()


class _Painter:
    """The state of an image that is being drawn: what each masked layer may look back at, with a border of zeros."""

    def __init__(self, model: PixelCNN, n: int, like: Tensor):
        _, height, width = model.image_shape
        self.model = model
        self.image = like.new_zeros(n, height + 6, width + 6, 1)
        channels = model.blocks[0].look.in_channels if len(model.blocks) else 0
        self.maps = [like.new_zeros(n, height + 2, width + 2, channels) for _ in model.blocks]
        self.first, self.looks = model.first.rows_seen(), [block.look.rows_seen() for block in model.blocks]

    def logits(self, row: int, column: int) -> Tensor:
        """Logits (N, levels) of one pixel; all pixels before it must be drawn."""
        x = _at(self.image, row, column, 4, 7) @ self.first + self.model.first.bias  # (N, 2 * width)
        for block, seen, weights in zip(self.model.blocks, self.maps, self.looks, strict=True):
            seen[:, row + 1, column + 1] = _pointwise(block.narrow, x.relu()).relu()
            look = _at(seen, row, column, 2, 3) @ weights + block.look.bias
            x = x + _pointwise(block.widen, look.relu())
        return _pointwise(self.model.head[3], _pointwise(self.model.head[1], x.relu()).relu())


def _at(padded: Tensor, row: int, column: int, rows: int, columns: int) -> Tensor:
    """The patch that a kernel's first rows see when it stands at a pixel: (N, rows * columns * channels)."""
    return padded[:, row : row + rows, column : column + columns].flatten(1)


def _pointwise(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """A 1x1 convolution at one pixel: (N, inputs) to (N, outputs)."""
    return F.linear(x, layer.weight.flatten(1), layer.bias)


def negative_log_likelihood(model: PixelCNN, images: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """The PixelCNN's loss: bits per dimension of the reduced images."""
    return pixels.bits_per_dimension(model.log_likelihood(images).mean(), model.image_shape)


def bits_inside_levels(train: Tensor, test: Tensor, levels: int = 16) -> float:
    """What the levels leave open, in bits a pixel: the cost of the exact 8-bit value given its level.

    The value's distribution inside each level is counted on all pixels of `train`, one added to each count. Added to
    the PixelCNN's bits per dimension, it makes a likelihood of 8-bit images, comparable with the other models'.

    Args:
        train, test: uint8 images.
        levels: a power of two, 2 to 256.

    Raises:
        ValueError: another number of levels.
    """
    _check_levels(levels)
    counts = torch.bincount(train.flatten().long(), minlength=256).double() + 1
    inside = counts.view(levels, -1)
    cost = -(inside / inside.sum(1, keepdim=True)).log2().flatten()
    return cost[test.flatten().long()].mean().item()


def _check_levels(levels: int) -> None:
    """Raise a ValueError unless so many levels of equal width share the 256 values of a byte."""
    if not 2 <= levels <= 256 or 256 % levels:
        raise ValueError(f"The 256 values of a pixel share a power of two of levels, 2 to 256, but not {levels}.")
