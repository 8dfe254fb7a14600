"""Digits in five domains, made from MNIST: plain, thin, thick, slanted, inverted.

Every domain is a fixed function of the plain image. So the true answer to "this digit in that domain" is known, which
no usual set for translation between many domains can say; and no digit of the training split is in two domains, so
that nobody learns from pairs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course.data.images import ImageSet

TRAINED_ON = 50_000  # the training split's other digits are never in the set, so that settings can be chosen on them
TESTED_ON = 2_000  # of the test split's digits, each in every domain
CHUNK = 250


def plain(ink: Tensor) -> Tensor:
    """As MNIST has them."""
    return ink


def thin(ink: Tensor) -> Tensor:
    """Only the ridge of each stroke: where a blurred copy is near the largest of its neighbours.

    An erosion would make the thinnest strokes vanish, or grey; a ridge is there in each.
    """
    blurred = F.avg_pool2d(F.avg_pool2d(ink, 3, 1, 1), 3, 1, 1)
    top = F.max_pool2d(blurred, 3, 1, 1).clamp_min(1)
    return ink * ((blurred / top - 0.7) / 0.25).clamp(0, 1)


def thick(ink: Tensor) -> Tensor:
    """Half a pixel more on every side: a dilation (the maximum over 3 x 3) at twice the size."""
    large = F.interpolate(ink, scale_factor=2, mode="bilinear", align_corners=False)
    return F.avg_pool2d(F.max_pool2d(large, 3, 1, 1), 2)


def slanted(ink: Tensor) -> Tensor:
    """Leaning to the left: sheared by half a pixel for each pixel upwards, about the middle row.

    Interpolated by cubes. Lines would blur, and the blur alone would give the domain away: D and a classifier looked
    for that, and G learned to blur and not to lean. (Whole pixels leave steps, which do the same.)
    """
    digits = ink.transpose(0, 1)  # (n, 1, H, W)
    shear = torch.tensor([[1.0, -0.5, 0.0], [0.0, 1.0, 0.0]], device=ink.device).expand(len(digits), 2, 3)
    grid = F.affine_grid(shear, list(digits.shape), align_corners=False)
    return F.grid_sample(digits, grid, mode="bicubic", align_corners=False).transpose(0, 1).clamp(0, 255)


def inverted(ink: Tensor) -> Tensor:
    """Dark on light."""
    return 255 - ink


# Each takes and returns ink in 0..255, float (1, n, H, W): n digits in the place of channels, which makes pooling
# several times faster.
DOMAINS: dict[str, Callable[[Tensor], Tensor]] = {
    function.__name__: function for function in (plain, thin, thick, slanted, inverted)
}
NAMES = tuple(DOMAINS)


def draw(images: Tensor, domain: str | int) -> Tensor:
    """Plain digits, drawn in a domain.

    Args:
        images: uint8 (N, 1, H, W), light on dark.
        domain: one of NAMES, or its number.

    Returns:
        uint8 (N, 1, H, W), image i from image i.

    Raises:
        ValueError: no such domain, or other images.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 1:
        raise ValueError(f"uint8 images of shape (N, 1, H, W) are drawn, not {images.dtype} {tuple(images.shape)}.")
    name = NAMES[domain] if isinstance(domain, int) and 0 <= domain < len(NAMES) else domain
    if name not in DOMAINS:
        raise ValueError(f"There is no domain {domain!r}; the domains are {', '.join(NAMES)}.")
    drawn = torch.empty_like(images)
    for start in range(0, len(images), CHUNK):
        ink = images[start : start + CHUNK].transpose(0, 1).float()  # (1, n, H, W)
        ink = DOMAINS[name](ink.contiguous(memory_format=torch.channels_last))
        # Halves are rounded up, a little before they are reached: an image is the same to the last bit in every batch.
        drawn[start : start + CHUNK] = ink.add(0.501).floor_().clamp_(0, 255).to(torch.uint8).transpose(0, 1)
    return drawn


def in_every_domain(images: Tensor) -> Tensor:
    """The same digits in each domain: uint8 (N, 1, H, W) to (domains, N, 1, H, W), in the order of NAMES.

    Entry [b, i] is the true answer to "image [a, i], in domain b", for every a.
    """
    return torch.stack([draw(images, domain) for domain in NAMES])


def training_set(mnist: ImageSet) -> ImageSet:
    """The first 50,000 digits, each in one domain only: digit i in domain i mod 5. Labels are the domains."""
    digits = mnist.images[:TRAINED_ON]
    labels, drawn = torch.arange(len(digits)) % len(NAMES), torch.empty_like(digits)
    for domain in range(len(NAMES)):
        drawn[domain :: len(NAMES)] = draw(digits[domain :: len(NAMES)], domain)
    return ImageSet(drawn, labels, list(NAMES), name="digit-domains")


def test_set(mnist: ImageSet) -> ImageSet:
    """The first 2,000 digits in all domains, one domain after the other: row 2000 b + i is digit i in domain b."""
    digits = mnist.images[:TESTED_ON]
    labels = torch.arange(len(NAMES)).repeat_interleave(len(digits))
    return ImageSet(in_every_domain(digits).flatten(0, 1), labels, list(NAMES), name="digit-domains")
