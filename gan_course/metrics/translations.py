"""Generators that translate, on held-out pairs, beside what a copy of the input would score."""

from __future__ import annotations

from torch import Tensor, nn

from gan_course.data.images import in_colour
from gan_course.data.pairs import ImagePairs
from gan_course.metrics.features import extractor_for
from gan_course.metrics.paired import Interval, PairScores, bootstrap_difference, compare_pairs, pair_scores
from gan_course.training.sampling import translate

COPY = "the input, copied"
LOWER_IS_BETTER = ("l1", "feature_distance")


def compare_translations(
    generators: dict[str, nn.Module], pairs: ImagePairs, seed: int = 0
) -> tuple[list[dict], dict[str, Tensor]]:
    """A row of numbers for each generator, the first row for the inputs themselves; and the images.

    Args:
        generators: a name and a network each, as `translate` takes them.
        pairs: held out of the training.
        seed: of the noise, for those that have some.

    Returns:
        Rows as of `compare_pairs`, with "over_copying": the `gain` of each score over a copy; and {name: images, uint8
        or float (N, C, H, W)}, with "input" and "target".

    Raises:
        ValueError: a generator is made for images of another shape.
    """
    for name, generator in generators.items():
        check_shapes(name, generator, pairs)
    inputs, targets = pairs.inputs.images, pairs.targets.images
    extractor = extractor_for(pairs.targets.name, pairs.image_shape)
    pictures = {"input": in_colour(inputs) if pairs.image_shape[0] == 3 else inputs, "target": targets}
    copied = pair_scores(pictures["input"], targets, extractor)
    about = {"data": pairs.name, "seed": seed}
    rows = [{"checkpoint": COPY, **about, **compare_pairs(pictures["input"], targets, extractor, copied)}]
    for name, generator in generators.items():
        pictures[name] = translate(generator, inputs, seed)
        scores = pair_scores(pictures[name], targets, extractor)
        row = {"checkpoint": name, **about, **compare_pairs(pictures[name], targets, extractor, scores)}
        rows.append(row | {"over_copying": {score: gain(score, scores, copied)._asdict() for score in scores._fields}})
    return rows, pictures


def check_shapes(name: str, generator: nn.Module, pairs: ImagePairs) -> None:
    """Raise a ValueError in plain words unless the generator is made for images like these."""
    shapes = tuple(generator.input_shape), tuple(generator.image_shape)
    if shapes != (pairs.input_shape, pairs.image_shape):
        raise ValueError(
            f"{name!r} turns images of shape {shapes[0]} into {shapes[1]}, but {pairs.name!r} holds pairs of "
            f"{pairs.input_shape} and {pairs.image_shape}; judge it on pairs like those that it was trained on."
        )


def gain(score: str, of: PairScores, over: PairScores) -> Interval:
    """By how much one method is better than another in one score, above 0 where it is, with its bootstrap interval."""
    sign = -1 if score in LOWER_IS_BETTER else 1
    return bootstrap_difference(sign * getattr(of, score), sign * getattr(over, score))
