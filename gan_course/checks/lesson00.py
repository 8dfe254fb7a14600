"""Checks for the exercises of lesson 00."""

from __future__ import annotations

from typing import Any

import torch

from gan_course.checks.framework import attempt, check, expect, expect_number, expect_tensor


@check
def how_many_numbers(guess: Any) -> None:
    """The guess how many numbers the generator turns into one digit: 100."""
    guess = expect_number(guess, "the guess", "Write for example `guess = 10`.")
    expect(
        guess != 784,
        "784 numbers are what the generator puts out: 28 * 28 pixels. The question is what it takes in.",
        "It takes far fewer. Guess again, or go on: section 3 prints the number.",
    )
    expect(
        guess != 10,
        "10 is the number of classes, but this generator was never told about classes: it was trained without labels.",
        "It takes more. Guess again, or go on: section 3 prints the number.",
    )
    size = "few" if guess < 100 else "many"
    expect(guess == 100, f"{guess:g} is too {size}.", "Guess again, or go on: section 3 prints the number.")


@check
def to_minus_one_one(function: Any) -> None:
    """Pixels from 0..255 to [-1, 1] by one fixed formula."""
    pixels = torch.tensor([[0, 51, 102], [153, 204, 255]], dtype=torch.uint8)
    before = pixels.clone()
    result = attempt(function, pixels)
    expect_tensor(result, (2, 3))
    expect(
        result.is_floating_point(),
        f"the result is {result.dtype}: whole numbers cannot hold -0.6.",
        "Call .float() on the pixels before you calculate.",
    )
    expect(torch.equal(pixels, before), "your function changed the pixels it was given.", "Avoid `pixels -= ...`.")
    result = result.double()
    wanted = pixels.double() / 127.5 - 1
    if torch.allclose(result, pixels.double() / 255, atol=0.01):
        expect(False, "the result is in [0, 1]; a tanh generator draws in [-1, 1].", "0 should become -1. Now it is 0.")
    if _straight(function, pixels.float()) and not torch.allclose(result, wanted, atol=1e-3):
        index = (result - wanted).abs().argmax()
        value, became = pixels.flatten()[index].item(), result.flatten()[index].item()
        expect(
            False,
            f"{value} became {became:.3f}: the formula is right, but uint8 holds 0 to 255 only and wraps around.",
            "Call .float() on the pixels before you calculate.",
        )
    expect(
        result.min() >= -1.001 and result.max() <= 1.001,
        f"the result reaches from {result.min():.4g} to {result.max():.4g}, not from -1 to 1.",
        "What should 0 and 255 become, and what do they become now?",
    )
    expect(
        result[0, 0] < result[1, 2],
        "black and white are swapped: 0 became 1.",
        "0 (black) should become -1, and 255 (white) 1.",
    )
    index = (result - wanted).abs().argmax()
    expect(
        torch.allclose(result, wanted, atol=1e-3),
        f"{pixels.flatten()[index]} became {result.flatten()[index]:.3f}, where a straight line from (0, -1) to "
        f"(255, 1) gives {wanted.flatten()[index]:.3f}.",
        "Divide by half of 255, then subtract.",
    )
    dim = attempt(function, torch.tensor([[100, 101]], dtype=torch.uint8)).double()
    expect(
        torch.allclose(dim, torch.tensor([[100 / 127.5 - 1, 101 / 127.5 - 1]], dtype=torch.float64), atol=0.01),
        "a dim image was stretched to the full range: the result depends on the other pixels of the image.",
        "Use fixed numbers and not the minimum and maximum of the image.",
    )


@check
def walk(function: Any) -> None:
    """Codes on the way from one to another; the straight line and the arc are both right."""
    start, end = torch.tensor([1.0, 0.0, 2.0]), torch.tensor([0.0, 3.0, -1.0])
    codes = attempt(function, start, end, 5)
    expect(
        not (isinstance(codes, torch.Tensor) and codes.shape == (3, 5)),
        "the codes stand in columns: the shape is (3, 5).",
        "One code a row: (steps, latent_dim). Try torch.stack(..., dim=0), or a .T at the end.",
    )
    expect(
        not (isinstance(codes, torch.Tensor) and codes.shape[:1] == (6,)),
        "there are 6 codes; 5 were asked for, both ends included.",
        "torch.linspace(0, 1, steps) has both ends and just `steps` numbers.",
    )
    expect_tensor(codes, (5, 3), "the walk")
    codes = codes.double()
    if torch.allclose(codes[0], end.double(), atol=1e-4) and torch.allclose(codes[-1], start.double(), atol=1e-4):
        expect(False, "the walk goes backwards, from the end to the start.", "At t = 0 only `start` should count.")
    expect(
        torch.allclose(codes[0], start.double(), atol=1e-4),
        f"the first code is not the start: {_short(codes[0])}.",
        "At t = 0 the formula should give `start` alone.",
    )
    expect(
        torch.allclose(codes[-1], end.double(), atol=1e-4),
        f"the last code is not the end: {_short(codes[-1])}.",
        "t should reach 1: torch.linspace(0, 1, steps) does, torch.arange(steps) / steps stops short of it.",
    )
    lengths = (codes[1:] - codes[:-1]).norm(dim=1)
    expect(
        lengths.max() < 1.5 * lengths.min() + 1e-6,
        "the steps are of very different lengths: the walk stands still or jumps.",
        "Let t grow by the same amount at every step, and give each code its own t.",
    )


def _straight(function: Any, pixels: torch.Tensor) -> bool:
    """Whether an answer maps these float pixels right."""
    try:
        result = function(pixels.clone())
    except Exception:  # an answer need not take floats
        return False
    return isinstance(result, torch.Tensor) and torch.allclose(result.double(), pixels.double() / 127.5 - 1, atol=1e-3)


def _short(code: torch.Tensor) -> str:
    return "[" + ", ".join(f"{value:.2g}" for value in code.tolist()) + "]"
