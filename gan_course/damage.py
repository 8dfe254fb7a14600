"""Ways to spoil a set of images, each by a strength from 0 to 1: what a metric should notice, or should not.

damage.blur(images, 0.5)                              # one of DAMAGES by name; 0 gives the images back as they are
damage.drop_classes(images, 0.5, labels=labels)       # half of the classes are gone; as many images as before
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

LARGEST_BLUR = 2.0  # pixels, the standard deviation
LARGEST_NOISE = 0.2  # of the range from black to white, the standard deviation
LOWEST_QUALITY = 5  # of 100, JPEG's
LARGEST_ANGLE = 30.0  # degrees


def blur(images: Tensor, strength: float, labels: Tensor | None = None, seed: int = 0) -> Tensor:
    """A Gaussian blur with a standard deviation of 2 pixels at most; at the edges the picture is mirrored.

    Args and returns: as `noise`.
    """
    _check(images, strength)
    sigma = LARGEST_BLUR * strength
    reach = min(math.ceil(3 * sigma), *(side - 1 for side in images.shape[2:]))
    if reach == 0:
        return images.clone()
    kernel = (-0.5 * (torch.arange(-reach, reach + 1, device=images.device) / sigma) ** 2).exp()
    kernel = kernel / kernel.sum()
    n, channels, height, width = images.shape
    x = functional.pad(images.float(), (reach,) * 4, mode="reflect").flatten(0, 1)[:, None]  # (N C, 1, H', W')
    x = functional.conv2d(functional.conv2d(x, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    return _rounded(x.view(n, channels, height, width))


def noise(images: Tensor, strength: float, labels: Tensor | None = None, seed: int = 0) -> Tensor:
    """Gaussian noise on each colour of each pixel, with a standard deviation of a fifth of the range at most.

    Args:
        images: uint8 (N, C, H, W).
        strength: 0 to 1; 0 changes nothing.
        labels: of the images, int64 (N,); only `drop_classes` needs them.
        seed: of what is random. The same seed gives the same noise, larger or smaller by the strength.

    Returns:
        uint8 (N, C, H, W).

    Raises:
        ValueError: not such images, or a strength outside [0, 1].
    """
    _check(images, strength)
    rng = torch.Generator().manual_seed(seed)
    grain = torch.randn(images.shape, generator=rng).to(images.device)
    return _rounded(images.float() + 255 * LARGEST_NOISE * strength * grain)


def jpeg(images: Tensor, strength: float, labels: Tensor | None = None, seed: int = 0) -> Tensor:
    """Written as JPEG and read again, at a quality that falls from 100 to 5 of 100. Strength 0 writes nothing.

    Args and returns: as `noise`.
    """
    import numpy as np
    from PIL import Image

    from gan_course.plots import to_pil

    _check(images, strength)
    if strength == 0:
        return images.clone()
    quality, result = round(100 - (100 - LOWEST_QUALITY) * strength), []
    for image in images.cpu():
        content = io.BytesIO()
        to_pil(image).save(content, "JPEG", quality=quality)
        with Image.open(content) as opened:
            result.append(torch.from_numpy(np.array(opened).reshape(*image.shape[1:], image.shape[0])).permute(2, 0, 1))
    return torch.stack(result).to(images.device)


def rotation(images: Tensor, strength: float, labels: Tensor | None = None, seed: int = 0) -> Tensor:
    """Each image turned to the left about its middle, by 30 degrees at most; what was outside repeats the edge.

    Args and returns: as `noise`.
    """
    _check(images, strength)
    if strength == 0:
        return images.clone()
    angle = math.radians(LARGEST_ANGLE * strength)
    height, width = images.shape[2:]
    # grid_sample asks where each pixel comes from, with x to the right and y down, both from -1 to 1.
    turn = torch.tensor(
        [
            [math.cos(angle), -math.sin(angle) * height / width, 0.0],
            [math.sin(angle) * width / height, math.cos(angle), 0.0],
        ],
        device=images.device,
    )
    places = functional.affine_grid(turn.expand(len(images), 2, 3), list(images.shape), align_corners=False)
    return _rounded(functional.grid_sample(images.float(), places, padding_mode="border", align_corners=False))


def drop_classes(images: Tensor, strength: float, labels: Tensor | None = None, seed: int = 0) -> Tensor:
    """That share of the classes is gone, those with the largest numbers first; one class is always left.

    In the place of an image that goes stands one that stays, drawn at random, so that there are as many as before.

    Args and returns: as `noise`; labels are needed.
    """
    _check(images, strength)
    if labels is None or len(labels) != len(images):
        raise ValueError("To drop classes, the labels of the images are needed, one each.")
    kinds = labels.unique().cpu()  # sorted
    kept = kinds[: len(kinds) - min(round(strength * len(kinds)), len(kinds) - 1)]
    stays = torch.isin(labels.cpu(), kept)
    return _replaced(images, ~stays, stays.nonzero()[:, 0], seed)


def repeat_one(images: Tensor, strength: float, labels: Tensor | None = None, seed: int = 0) -> Tensor:
    """That share of the images is replaced by the first one: a generator that draws one image too often.

    Args and returns: as `noise`.
    """
    _check(images, strength)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    gone = torch.zeros(len(images), dtype=torch.bool)
    gone[order[: round(strength * len(images))]] = True
    return _replaced(images, gone, torch.zeros(1, dtype=torch.long), seed)


DAMAGES: dict[str, Callable[..., Tensor]] = {
    "blur": blur,
    "noise": noise,
    "JPEG": jpeg,
    "rotation": rotation,
    "classes dropped": drop_classes,
    "one image repeated": repeat_one,
}


def _check(images: Tensor, strength: float) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or len(images) == 0:
        raise ValueError(
            f"Damage is done to uint8 images (N, C, H, W), not to {images.dtype} of shape {tuple(images.shape)}."
        )
    if not 0 <= strength <= 1:
        raise ValueError(f"The strength is {strength}; it must lie between 0 and 1.")


def _rounded(values: Tensor) -> Tensor:
    """Floats in 0..255 as uint8."""
    return values.round().clamp(0, 255).to(torch.uint8)


def _replaced(images: Tensor, gone: Tensor, pool: Tensor, seed: int) -> Tensor:
    """The images, but in the place of those that are `gone` (N,) random ones of the rows in `pool`."""
    rng = torch.Generator().manual_seed(seed)
    rows = torch.arange(len(images))
    drawn = torch.randint(len(pool), (len(images),), generator=rng)
    rows[gone] = pool[drawn][gone]
    return images[rows.to(images.device)]
