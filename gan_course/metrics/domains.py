"""Translations between the domains of digits, each against its true answer, which is known by construction."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gan_course.data import domains
from gan_course.data.images import ImageSet
from gan_course.metrics.features import extractor_for
from gan_course.metrics.inputs import eight_bit
from gan_course.metrics.paired import pair_scores
from gan_course.training.sampling import translate

INVERTED = domains.NAMES.index("inverted")


def compare_domains(generator, digits: ImageSet, more: Callable[[Tensor, Tensor, int], dict] | None = None) -> dict:
    """Plain digits, brought from each domain to each other one: how near the true answers are, in means over all ways.

    Args:
        generator: one that is told a domain, as `translate` takes it; or a function (images uint8 (N, 1, H, W), from,
            to) -> images uint8 of the same shape.
        digits: plain ones with their labels, held out of the training.
        more: (translations, true answers, to) -> more measures of one way.

    Returns:
        l1, ssim: as of `pair_scores`. l1_of_strokes: l1 of the ways between domains that are light on dark, where an
        image left as it is comes much nearer. obeyed: the share whose nearest true answer, in l1, is that of the domain
        asked for. digit: the share that is read as the right digit, inverted ones turned back first. cycle: l1 of an
        image from its translation brought back. The means of `more`. And l1_by_pair, row by row from a domain to each.

    Raises:
        ValueError: translations with NaN or values outside [-1, 1].
    """
    digits = digits.to("cpu")
    answers = domains.in_every_domain(digits.images)  # (domains, N, 1, H, W), uint8
    reader = extractor_for("mnist", digits.image_shape, torch.device("cpu"))
    ask = _asker(generator) if isinstance(generator, torch.nn.Module) else generator
    found = {}
    for source, target in ways():
        fake = ask(answers[source], source, target)
        again = ask(fake, target, source)
        scores, nearest = pair_scores(fake, answers[target], reader), l1(fake, answers).argmin(0)
        found[source, target] = {
            "l1": scores.l1.mean().item(),
            "ssim": scores.ssim.mean().item(),
            "obeyed": (nearest == target).double().mean().item(),
            "digit": (reader.classify(upright(fake, target)) == digits.labels).double().mean().item(),
            "cycle": l1(again, answers[source]).mean().item(),
        } | (more(fake, answers[target], target) if more else {})
    means = {name: statistics.mean(row[name] for row in found.values()) for name in found[0, 1]}
    of_strokes = statistics.mean(row["l1"] for way, row in found.items() if INVERTED not in way)
    by_pair = [[found[a, b]["l1"] if a != b else 0.0 for b in range(len(answers))] for a in range(len(answers))]
    return means | {"l1_of_strokes": of_strokes, "l1_by_pair": by_pair}


def ways() -> Iterator[tuple[int, int]]:
    """From each domain to each other one."""
    return itertools.permutations(range(len(domains.NAMES)), 2)


def upright(images: Tensor, domain: int) -> Tensor:
    """Light on dark, uint8, as the digit classifier has learned them: inverted ones are turned back."""
    return 255 - images if domain == INVERTED else images


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of uint8 images (..., C, H, W) on the scale of [-1, 1]: float32 (...)."""
    return (a.float() - b.float()).abs().mean((-3, -2, -1)) / 127.5


def _asker(generator: torch.nn.Module) -> Callable[[Tensor, int, int], Tensor]:
    """A generator that is told where to go, as a function that is also told where the images come from."""
    return lambda images, source, target: eight_bit(translate(generator, images, labels=target))
