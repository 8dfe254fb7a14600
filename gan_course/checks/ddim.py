"""One step of DDIM, and what is made of it when one thing is done wrong."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor


def factors(kept: Tensor, roots: tuple[bool, bool] = (True, True), shape=(-1, 1, 1, 1)) -> list[Tensor]:
    """Of image and noise, with or without their roots."""
    return [
        part.sqrt() if root else part
        for part, root in zip((kept.view(shape), 1 - kept.view(shape)), roots, strict=True)
    ]


def moved(x_t: Tensor, noise: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """c x + d noise, where x_t = a x + b noise."""
    return c * (x_t - b * noise) / a + d * noise


def wrong_steps(x_t: Tensor, noise: Tensor, t: Tensor, s: Tensor, alpha_bar: Tensor) -> list[tuple[Tensor, str]]:
    """What an answer with one thing done wrong returns, and what the learner is told."""
    now, then = alpha_bar[t], alpha_bar[s]
    (a, b), (c, d) = factors(now), factors(then)
    image = (x_t - b * noise) / a
    flat = [factors(kept, shape=(-1,)) for kept in (now, then)]
    early, too_early = factors(alpha_bar[t - 1]), factors(alpha_bar[s - 1])
    clamped = "the guess of the image was clamped. The package does that for images; the formula has no clamp."
    index = "alpha_bar has T + 1 entries: index it by t and s themselves."
    mistakes = [
        (image, "this is the guess of the image. It is a poor one; go to s, along the same noise."),
        (x_t, "x_t comes back as it was: both formulas use the alpha_bar of t."),
        (moved(x_t, noise, *early, *too_early), index),
        (moved(x_t, noise, *early, c, d), index),
        (moved(x_t, noise, a, b, *too_early), index),
        (moved(x_t, noise, b, a, d, c), "image and noise have each other's factor."),
        (moved(x_t, noise, a, b, d, c), "image and noise have each other's factor in x_s."),
        (moved(x_t, noise, b, a, c, d), "image and noise have each other's factor in the guess of the image."),
        (c * x_t + d * noise, "x_t stands where the guess of the image belongs."),
        (c * (x_t - b * noise) / b + d * noise, "the guess of the image is divided by the factor of the noise."),
        (c * image.clamp(-1, 1) + d * noise, clamped),
        (c * image.clamp(-1, 1) + d * (x_t - a * image.clamp(-1, 1)) / b, clamped),
        (moved(x_t, noise, *(f[:1] for f in (a, b, c, d))), "the times of the first image are used for all."),
        (moved(x_t, noise, c, d, a, b), "s and t are exchanged."),
        (moved(x_t, noise, torch.ones(()), b, c, d), "the guess of the image is not divided by sqrt(alpha_bar_t)."),
        (moved(x_t, -noise, a, b, c, -d), "the noise is added to x_t for the guess of the image; take it away."),
        (moved(x_t, noise, a, b, c, 0 * d), "the noise is missing in x_s: it goes on, only weaker."),
        (moved(x_t, noise, a, b, torch.ones(()), d), "the image has its full size in x_s."),
        (moved(x_t, b * x_t + a * noise, a, b, c, d), "the network here says the noise itself, and not v."),
        (moved(x_t, noise, *flat[0], *flat[1]),
         "alpha_bar was spread along the width: image 1's number went to column 1. Make it (N, 1, 1, 1)."),
    ]  # fmt: skip
    for roots in itertools.product((True, False), repeat=4):
        if not all(roots):
            wrong = moved(x_t, noise, *factors(now, roots[:2]), *factors(then, roots[2:]))
            mistakes.append((wrong, "a root is missing: all four factors are roots."))
    return mistakes
