"""What one Gibbs step of a small RBM draws, done right and with one thing done wrong."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from gan_course.checks.framework import attempt, expect

STATES = torch.tensor(list(itertools.product((0.0, 1.0), repeat=3)), dtype=torch.float64)  # (8, 3)

# What is wrong: how `after` is told, and what the learner is told. The first is the right step.
GIBBS_MISTAKES = {
    "right": ({}, ""),
    "mean field": (
        {"mean_field": True},
        "the hidden bits are not drawn: their probabilities go on. Then new bits of one chain are independent.",
    ),
    "threshold": ({"threshold": True}, "the hidden bits are rounded and not drawn."),
    "flipped": ({"flipped": True}, "a bit is 1 where the uniform number is *greater* than its probability."),
    "no c": ({"no_c": True}, "the hidden bias is missing."),
    "no b": ({"no_b": True}, "the visible bias is missing."),
    "no bias": ({"no_b": True, "no_c": True}, "both biases are missing."),
    "softmax": ({"softmax": True}, "a softmax shares one chance among all bits; each bit has its own, by a sigmoid."),
    "no sigmoid": ({"raw": True}, "a sigmoid is missing: numbers below 0 or above 1 are no probabilities."),
    "one u": ({"shared": True}, "one uniform number serves all bits of a chain; each bit needs its own."),
    "two steps": ({"steps": 2}, "these are two Gibbs steps; one is asked for: h once, v once."),
}


def shares(bits: Tensor) -> Tensor:
    """How often each of the 8 states of three bits (N, 3) occurs."""
    return (bits.double() @ torch.tensor([4.0, 2.0, 1.0]).double()).long().bincount(minlength=8) / len(bits)


def after(v: Tensor, machine: tuple, steps: int = 1, **wrong: bool) -> Tensor:
    """P(new v | v) of all 8 states, in the order of their binary numbers, with one thing done wrong."""
    chances = _one_step(v, machine, **wrong)
    for _ in range(steps - 1):
        chances = chances @ torch.stack([_one_step(state, machine, **wrong) for state in STATES])
    return chances


def _one_step(
    v: Tensor, machine: tuple, mean_field=False, flipped=False, no_c=False, no_b=False, threshold=False, raw=False,
    shared=False, softmax=False,
) -> Tensor:  # fmt: skip
    weight, b, c = (part.double() for part in machine)
    b, c = 0 * b if no_b else b, 0 * c if no_c else c

    def chance(logits: Tensor) -> Tensor:
        if softmax:
            return logits.softmax(0)
        return logits.clamp(0, 1) if raw else torch.sigmoid(logits)

    h_on = chance(v.double() @ weight + c)
    h_on = (h_on > 0.5).double() if threshold else h_on
    total = torch.zeros(8, dtype=torch.float64)
    for h in [h_on] if mean_field else torch.tensor(list(itertools.product((0.0, 1.0), repeat=2))).double():
        v_on = chance((1 - h if flipped and not mean_field else h) @ weight.T + b)
        of_h = 1.0 if mean_field else _of_states(h[None], h_on, shared)
        total += of_h * _of_states(STATES, 1 - v_on if flipped else v_on, shared)
    return total


def _of_states(states: Tensor, on: Tensor, shared: bool) -> Tensor:
    """Probabilities of states (K, bits), when each bit is on with its chance `on`; `shared`: by one uniform number."""
    if not shared:
        return (states * on + (1 - states) * (1 - on)).prod(1)
    lowest_on = torch.where(states > 0, on, 1.0).amin(1)  # the number is below all of these
    highest_off = torch.where(states > 0, 0.0, on).amax(1)  # and above all of these
    return (lowest_on - highest_off).clamp(min=0)


def expect_bits_by(function: Callable) -> None:
    """Hidden and visible bits change with the generator. A machine without weights, and one where v repeats h."""
    zero = torch.zeros(50, 2)
    copying = 100 * torch.eye(2)
    for side, weight, visible_bias in (("visible", 0 * copying, zero[0]), ("hidden", copying, zero[0] - 50)):
        first, second = (
            attempt(function, zero, weight, visible_bias, zero[0], torch.Generator().manual_seed(i)) for i in (5, 6)
        )
        same = (
            f"another generator gives the same {side} bits: in a chain each step would repeat the numbers of the last."
        )
        expect(
            not torch.equal(first, second), same, "Set no seed inside; draw h and v both by the `rng` you are given."
        )
