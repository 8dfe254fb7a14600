"""Two sets of images for one translation: an image and what it should become; and outlines, made here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_course.data.images import ImageSet, to_float

FAINTEST_STEP = 0.1  # of the range from black to white; a fainter edge is not drawn


@dataclass(frozen=True)
class ImagePairs:
    """Images and what they should become.

    Attributes:
        inputs, targets: row i of one belongs to row i of the other while `paired`.
        name: what the pairs are called in cards and reports.
        paired: whether a batch holds pairs. If not, the two sides are drawn apart from one another.
        mirrored: whether half of a batch is turned left to right: of pairs both images, else each side by itself.
    """

    inputs: ImageSet
    targets: ImageSet
    name: str = "pairs"
    paired: bool = True
    mirrored: bool = False

    def __post_init__(self):
        if self.paired and len(self.inputs) != len(self.targets):
            raise ValueError(
                f"There are {len(self.inputs)} inputs but {len(self.targets)} targets, so they are no pairs."
            )

    def __len__(self) -> int:
        return len(self.targets)

    def __repr__(self) -> str:
        shapes = ["x".join(map(str, shape)) for shape in (self.input_shape, self.image_shape)]
        kind = "pairs" if self.paired else "unpaired images a side"
        return f"ImagePairs({self.name}: {len(self):,} {kind}, {shapes[0]} to {shapes[1]}, {self.device})"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an input."""
        return self.inputs.image_shape

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a target."""
        return self.targets.image_shape

    @property
    def device(self) -> torch.device:
        return self.targets.device

    def to(self, device: torch.device | str) -> ImagePairs:
        """The same pairs on another device."""
        return replace(self, inputs=self.inputs.to(device), targets=self.targets.to(device))

    def subset(self, rows: Tensor | Sequence[int] | slice) -> ImagePairs:
        """The pairs at `rows`, which are as in ImageSet.subset."""
        return replace(self, inputs=self.inputs.subset(rows), targets=self.targets.subset(rows))

    def unpaired(self) -> ImagePairs:
        """Both sides as two sets that say nothing about which image belongs to which.

        Each side is sorted by the bytes of its images, so that what is drawn cannot depend on the order in which they
        came: shuffle one side before, and every batch stays the same, bit for bit.
        """
        inputs, targets = (side.subset(_order(side.images)) for side in (self.inputs, self.targets))
        return replace(self, inputs=inputs, targets=targets, paired=False)

    def batch(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """`n` inputs and `n` targets, drawn with replacement: pairs, or both sides apart from one another.

        Returns:
            (x, y): float32 (n, C, H, W) in [-1, 1] each.
        """
        if not self.paired:
            x, y = self.inputs.batch(n, generator)[0], self.targets.batch(n, generator)[0]
        else:
            rows = torch.randint(len(self), (n,), generator=generator, device=self.device)
            x, y = to_float(self.inputs.images[rows]), to_float(self.targets.images[rows])
        if self.mirrored:
            turned = torch.rand(2, n, 1, 1, 1, generator=generator, device=self.device) < 0.5
            x = torch.where(turned[0], x.flip(3), x)
            y = torch.where(turned[0 if self.paired else 1], y.flip(3), y)
        return x, y


def _order(images: Tensor) -> list[int]:
    """Row numbers in the order of the images' bytes."""
    keys = [image.tobytes() for image in images.cpu().contiguous().numpy()]
    return sorted(range(len(keys)), key=keys.__getitem__)


def outlines(images: Tensor) -> Tensor:
    """The outlines of coloured images as black lines, one pixel wide, on white.

    The slope of the image is taken by Sobel's filter in each colour, and the steepest colour counts. A pixel is black
    where the slope is at least that of a step of a tenth of the range, and no smaller than at its neighbours on
    either side, uphill and downhill: so lines are thin.

    Args:
        images: uint8 (N, C, H, W).

    Returns:
        uint8 (N, 1, H, W), 0 or 255.

    Source: Canny (1986), without its smoothing and its second threshold, for which 32 pixels are too few.
    """
    slopes = _slopes(images)  # (N, 2, H, W), across and down
    steepness = slopes.square().sum(1).sqrt()  # (N, H, W)
    height, width = steepness.shape[1:]
    padded = F.pad(steepness, (1, 1, 1, 1))

    def neighbour(down: int, across: int) -> Tensor:
        return padded[:, 1 + down : 1 + down + height, 1 + across : 1 + across + width]

    sector = torch.round(torch.atan2(slopes[:, 1], slopes[:, 0]) / (torch.pi / 4)).long() % 4
    is_ridge = torch.zeros_like(steepness, dtype=torch.bool)
    for number, (down, across) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        # Of two equal neighbours the first is drawn, or a line would be two pixels wide.
        highest = (steepness >= neighbour(down, across)) & (steepness > neighbour(-down, -across))
        is_ridge |= (sector == number) & highest
    is_line = is_ridge & (steepness > FAINTEST_STEP / 2)  # a step of height h has the slope h / 2
    return torch.where(is_line, 0, 255).to(torch.uint8)[:, None]


def _slopes(images: Tensor) -> Tensor:
    """The slope of the steepest colour across and down, (N, 2, H, W), of values in [0, 1]."""
    values = F.pad(images.float() / 255, (1, 1, 1, 1), mode="replicate")
    smooth_down = values[:, :, :-2] + 2 * values[:, :, 1:-1] + values[:, :, 2:]
    smooth_across = values[..., :-2] + 2 * values[..., 1:-1] + values[..., 2:]
    across = (smooth_down[..., 2:] - smooth_down[..., :-2]) / 8  # (N, C, H, W)
    down = (smooth_across[:, :, 2:] - smooth_across[:, :, :-2]) / 8
    colour = (across.square() + down.square()).argmax(1, keepdim=True)
    return torch.cat([across.gather(1, colour), down.gather(1, colour)], dim=1)
