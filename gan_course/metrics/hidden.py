"""What a cycle hides: how much of a reconstruction comes from what cannot be seen in the translation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course.data.images import to_float, to_uint8

Images = Callable[[Tensor], Tensor]
LEVEL = 1 / 127.5  # one of the 255 steps of an 8-bit image, in the units of [-1, 1]


class Reconstruction(NamedTuple):
    """Means over images and pixels of [-1, 1]. change: of the translation before the way back, by the disturbance;
    error: of the reconstruction from the image that it started from.
    """

    change: float
    error: float


class ImposedCode(NamedTuple):
    """Means over images and pixels of [-1, 1]. change: of the translation. The distance of its reconstruction from the
    wanted image: before; after; and by_chance, with a random change as large. from_own: after, from its own image.
    """

    change: float
    before: float
    after: float
    by_chance: float
    from_own: float


def eight_bits(images: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """Rounded to the 256 levels that a file can hold."""
    return to_float(to_uint8(images))


def noise(std: float) -> Callable[[Tensor, torch.Generator | None], Tensor]:
    """Images -> the same with noise from N(0, std^2) in each pixel, within [-1, 1]."""

    def add(images: Tensor, rng: torch.Generator | None = None) -> Tensor:
        drawn = torch.randn(images.shape, generator=rng, dtype=images.dtype, device=images.device)
        return (images + std * drawn).clamp(-1, 1)

    return add


def blur(sigma: float) -> Callable[[Tensor, torch.Generator | None], Tensor]:
    """Images -> the same under a Gaussian of this standard deviation in pixels, cut to 5 x 5."""
    weights = torch.tensor([math.exp(-0.5 * (i / sigma) ** 2) for i in range(-2, 3)])
    weights = weights / weights.sum()

    def soften(images: Tensor, rng: torch.Generator | None = None) -> Tensor:
        channels, row = images.shape[1], weights.to(images)
        padded = F.pad(images, (2, 2, 2, 2), mode="replicate")
        across = F.conv2d(padded, row.expand(channels, 1, 1, 5).contiguous(), groups=channels)
        return F.conv2d(across, row[:, None].expand(channels, 1, 5, 1).contiguous(), groups=channels)

    return soften


DISTURBANCES: dict[str, Callable] = {
    "nothing": lambda images, rng: images,
    "8 bits": eight_bits,
    **{f"noise {std:g}": noise(std) for std in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)},
    **{f"blur {sigma:g}": blur(sigma) for sigma in (0.3, 0.5, 0.7)},
}


@torch.no_grad()
def disturbed_cycle(
    there: Images, back: Images, images: Tensor, targets: Tensor | None = None, seed: int = 0
) -> dict[str, Reconstruction]:
    """There and back again, with the translation disturbed on the way, in ways that an eye hardly sees.

    What can be seen in a translation is still there under a little noise. If the reconstruction is much worse all the
    same, it came from what cannot be seen: the way there writes into its translation what the way back will need.

    Args:
        there, back: images (N, C, H, W) in [-1, 1] to images; the two generators of a CyclePair, or their inverses.
        images: float (N, C, H, W) in [-1, 1], to start from.
        targets: what the translations should have been, where that is known; float. Then "the true target" takes the
            place of the translation in one more row: a reconstruction without anything hidden.
        seed: of the noise.

    Returns:
        {name of the disturbance: Reconstruction}, in the order of DISTURBANCES.

    Source: after Chu, Zhmoginov, Sandler (2017), "CycleGAN, a master of steganography": what is hidden is faint, of
    high frequency, and lost under small disturbances. Which ones are used here, and the true target, are the course's.
    """
    translations, found = there(images), {}
    for name, disturb in DISTURBANCES.items():
        rng = torch.Generator(images.device).manual_seed(seed)
        found[name] = _reconstruction(back, disturb(translations, rng), translations, images)
    if targets is not None:
        found["the true target"] = _reconstruction(back, targets, translations, images)
    return found


def _reconstruction(back: Images, disturbed: Tensor, translations: Tensor, images: Tensor) -> Reconstruction:
    return Reconstruction(_distance(disturbed, translations), _distance(back(disturbed), images))


def impose_code(
    back: Images, translations: Tensor, own: Tensor, wanted: Tensor, bound: float = 4 * LEVEL, steps: int = 50
) -> tuple[Tensor, ImposedCode]:
    """Change translations a little, so that they are reconstructed as other images: whose code is it?

    Every number of a translation is moved by at most `bound`, downhill on the distance of its reconstruction from the
    wanted image. If the way back reads what can be seen, it will hardly care; if it reads a faint code, it can be made
    to reconstruct what it was never shown.

    Args:
        back: as in `disturbed_cycle`, differentiable.
        translations: float (N, C, H, W) in [-1, 1], of the images `own`.
        own, wanted: images that the translations came from, and those to be had from them.
        bound: the largest change of a number; four of the 255 steps of an 8-bit image by default.
        steps: of sign gradient descent, with steps that shrink on a line to 0.

    Returns:
        The changed translations, and what they do.

    Source: after Chu, Zhmoginov, Sandler (2017), who change maps so that they are reconstructed as chosen photographs;
    the bound and the steps along the gradient's sign are those of Madry et al. (2018).
    """
    changed = translations.clone()
    for step in range(steps):
        changed.requires_grad_(True)
        (slope,) = torch.autograd.grad((back(changed) - wanted).abs().sum(), changed)
        with torch.no_grad():
            rate = 0.1 * bound * (1 - step / steps)
            changed = changed - rate * slope.sign()
            changed = translations + (changed - translations).clamp(-bound, bound)
            changed = changed.clamp(-1, 1)
    with torch.no_grad():
        rng = torch.Generator(translations.device).manual_seed(0)
        signs = torch.randint(0, 2, translations.shape, generator=rng, device=translations.device) * 2 - 1
        by_chance = (translations + bound * signs).clamp(-1, 1)
        reconstructed = back(changed)
        return changed, ImposedCode(
            _distance(changed, translations),
            _distance(back(translations), wanted),
            _distance(reconstructed, wanted),
            _distance(back(by_chance), wanted),
            _distance(reconstructed, own),
        )


def _distance(a: Tensor, b: Tensor) -> float:
    return (a - b).abs().mean().item()
