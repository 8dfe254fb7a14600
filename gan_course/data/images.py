"""Images as the course keeps them: uint8 on the device, converted by one fixed formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor


def to_float(images: Tensor) -> Tensor:
    """uint8 in 0..255 to float32 in [-1, 1]: x / 127.5 - 1, the range of a tanh generator.

    Raises:
        TypeError: the images are not uint8 (a float image was probably converted already).
    """
    if images.dtype != torch.uint8:
        raise TypeError(f"to_float expects uint8 images in 0..255, but got {images.dtype}.")
    return images.float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Float in [-1, 1] to uint8: (x + 1) * 127.5, rounded and clamped. Never by minimum and maximum of a batch.

    Raises:
        TypeError: the images are not floating point.
    """
    if not images.is_floating_point():
        raise TypeError(f"to_uint8 expects float images in [-1, 1], but got {images.dtype}.")
    return images.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def in_colour(images: Tensor) -> Tensor:
    """Grey images (N, 1, H, W) as (N, 3, H, W), each colour the same; images in colour as they are."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


@dataclass(frozen=True)
class ImageSet:
    """A whole set of images in memory.

    Attributes:
        images: uint8 (N, C, H, W).
        labels: int64 (N,), or None where there are none.
        classes: the name of each label.
        names: one name an image (file names, emoji names), or empty.
        name: what the set is called in cards and reports.
    """

    images: Tensor
    labels: Tensor | None = None
    classes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    name: str = "images"

    def __post_init__(self):
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise ValueError(
                f"An ImageSet holds uint8 images of shape (N, C, H, W), but got {self.images.dtype} "
                f"of shape {tuple(self.images.shape)}."
            )
        for what, values in (("labels", self.labels), ("names", self.names or None)):
            if values is not None and len(values) != len(self.images):
                raise ValueError(f"There are {len(self.images)} images but {len(values)} {what}.")

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.image_shape))
        return f"ImageSet({self.name}: {len(self):,} images of {shape}, {len(self.classes)} classes, {self.device})"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return tuple(self.images.shape[1:])

    @property
    def device(self) -> torch.device:
        return self.images.device

    def to(self, device: torch.device | str) -> ImageSet:
        """The same set on another device."""
        labels = None if self.labels is None else self.labels.to(device)
        return replace(self, images=self.images.to(device), labels=labels)

    def subset(self, rows: Tensor | Sequence[int] | slice) -> ImageSet:
        """The images at `rows`: a slice, a list of numbers or a tensor of numbers or booleans."""
        if not isinstance(rows, slice):
            rows = torch.as_tensor(rows, device=self.device)
        numbers = torch.arange(len(self), device=self.device)[rows]
        return replace(
            self,
            images=self.images[numbers],
            labels=None if self.labels is None else self.labels[numbers],
            names=[self.names[i] for i in numbers.tolist()] if self.names else [],
        )

    def batch(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor | None]:
        """`n` random images, drawn with replacement, so that a batch needs no state but the generator's.

        Returns:
            (x, y): float32 (n, C, H, W) in [-1, 1], and int64 (n,) or None.
        """
        rows = torch.randint(len(self), (n,), generator=generator, device=self.device)
        return to_float(self.images[rows]), None if self.labels is None else self.labels[rows]
