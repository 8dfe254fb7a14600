"""All metrics of one set of samples against real images, in one call."""

from __future__ import annotations

from torch import Tensor

from gan_course.metrics.features import FeatureExtractor
from gan_course.metrics.frechet import frechet_distance
from gan_course.metrics.inputs import eight_bit
from gan_course.metrics.kernel import kernel_distance
from gan_course.metrics.neighbours import prdc


def compare(
    real_images: Tensor, fake_images: Tensor, extractor: FeatureExtractor, k: int = 5
) -> dict[str, float | str | int]:
    """Frechet and kernel distance, precision, recall, density and coverage, and of which features.

    Args:
        real_images, fake_images: (N, C, H, W), uint8 or float in [-1, 1]. Fakes are rounded to 8 bits first, as the
            real ones are: otherwise a metric may see the missing rounding.

    Raises:
        ValueError: images of another shape than the extractor's, NaN or values outside [-1, 1]; or too few images.
    """
    return compare_features(extractor(real_images), extractor(eight_bit(fake_images)), extractor.name, k)


def compare_features(real: Tensor, fake: Tensor, name: str, k: int = 5) -> dict[str, float | str | int]:
    """The same numbers from features.

    Args:
        real, fake: (N, D) and (M, D), both from one extractor.
        name: of the extractor.
    """
    return {
        "features": name,
        "real_images": len(real),
        "fake_images": len(fake),
        "frechet_distance": frechet_distance(real, fake),
        "kernel_distance": kernel_distance(real, fake),
        **prdc(real, fake, k)._asdict(),
    }
