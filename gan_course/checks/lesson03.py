"""Checks for the exercises of lesson 03."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from gan_course.checks.framework import NotYet, attempt, check, expect, expect_tensor


@check
def output_side(function: Any) -> None:
    """The output size of a convolution and of a transposed one."""
    cases = [(13, 5, 3, 0), (28, 4, 2, 1), (14, 4, 2, 1), (28, 3, 1, 1), (28, 5, 2, 2), (7, 2, 2, 0), (9, 6, 4, 2)]
    for transposed in (False, True):
        kind = nn.ConvTranspose2d if transposed else nn.Conv2d
        name = "transposed convolution" if transposed else "convolution"
        for n, k, s, p in cases:
            answer = attempt(function, n, k, s, p, transposed)
            true = kind(1, 1, k, s, p)(torch.zeros(1, 1, n, n)).shape[-1]
            case = f"side {n}, kernel {k}, stride {s}, padding {p}: the {name} gives {true}"
            expect(
                isinstance(answer, int),
                f"{case}, but your function returned {answer!r}: a side is a whole number.",
                "`//` divides and rounds down: a kernel that does not fit any more gives no pixel.",
            )
            expect(answer == true, f"{case}, not {answer}{_wrong_formula(answer, n, k, s, p, transposed)}")


def _wrong_formula(answer: int, n: int, k: int, s: int, p: int, transposed: bool) -> str:
    """What a wrong size probably comes from."""
    guesses = {
        (n + 2 * p - k) // s + 1: ": that is the size after a convolution, not after a transposed one.",
        n * s: ": not every transposed convolution multiplies the side by the stride.",
        (n - 1) * s - p + k: ": padding is at both ends, so it counts twice.",
    }
    if not transposed:
        guesses = {
            (n + 2 * p - k) // s: ": one too few. A kernel that fits once gives one pixel.",
            (n + p - k) // s + 1: ": padding is at both ends, so it counts twice.",
        }
    return guesses.get(answer, ". Compare with the formulas of section 3.1.")


@check
def initialise_layer(function: Any) -> None:
    """Weights from N(0, 0.02), BatchNorm's scales from N(1, 0.02), biases 0."""
    norm = nn.BatchNorm2d(4096)  # many scales, so that their mean is known well
    nn.init.constant_(norm.weight, 7.0)
    nn.init.constant_(norm.bias, 7.0)
    _call_in_place(function, norm)
    scale, deviation = norm.weight.mean().item(), norm.weight.std().item()
    expect(
        abs(scale) > 0.1,
        "the scales of BatchNorm are drawn around 0: they switch the layer off.",
        "A scale of 1 leaves the normalised signal as it is.",
    )
    expect(scale < 6.9, "BatchNorm was not initialised.", "Its scales are called `weight` too.")
    expect(abs(scale - 1) < 0.01, f"the scales of BatchNorm have the mean {scale:.2f}, not 1.")
    expect(
        abs(deviation - 0.02) < 0.003,
        f"the scales of BatchNorm have the standard deviation {deviation:.3g}, not 0.02.",
        "nn.init.normal_(tensor, mean, std) takes the standard deviation and not the variance.",
    )
    expect(not norm.bias.any(), "the shift of BatchNorm is not 0.", "It is called `bias`.")
    for kind in (nn.Conv2d, nn.ConvTranspose2d, nn.Linear):
        size = (128, 64) if kind is nn.Linear else (128, 64, 4)
        for bias in (True, False):
            layer = kind(*size, bias=bias)
            nn.init.constant_(layer.weight, 7.0)
            _call_in_place(function, layer)
            _expect_weights(layer, kind.__name__)
            expect(
                layer.bias is None or not layer.bias.any(), f"the bias of {kind.__name__} is not 0.", "nn.init.zeros_"
            )
    _call_in_place(function, nn.ReLU())


def _call_in_place(function: Any, layer: nn.Module) -> None:
    """Call an answer that need not return anything."""
    try:
        attempt(function, layer)
    except NotYet as error:
        if getattr(layer, "bias", 0) is None and "NoneType" in error.problem:
            raise NotYet(error.problem, "This layer was made with bias=False: its `bias` is None.") from None
        if "returned nothing" not in error.problem:
            raise


def _expect_weights(layer: nn.Module, name: str) -> None:
    average, deviation = layer.weight.mean().item(), layer.weight.std().item()
    expect(average != 7.0, f"the weights of {name} were left as they were.", "Which kinds of layers does DCGAN use?")
    expect(abs(average) < 0.01, f"the weights of {name} have the mean {average:.2f}, not 0.")
    expect(
        abs(deviation - math.sqrt(0.02)) > 0.01,
        f"the weights of {name} have the variance 0.02; 0.02 should be the standard deviation.",
        "Give 0.02 itself to nn.init.normal_, not its square root.",
    )
    expect(
        abs(deviation - 0.02) < 0.002,
        f"the weights of {name} have the standard deviation {deviation:.3g}, not 0.02.",
        "nn.init.normal_(tensor, mean, std) takes the standard deviation and not the variance.",
    )
    expect(
        layer.weight.abs().max() > 0.05,
        f"the weights of {name} are not normally distributed: none is beyond 2.5 standard deviations.",
        "nn.init.normal_, not uniform_.",
    )


@check
def up_block(function: Any) -> None:
    """A generator block: doubling, BatchNorm, ReLU."""
    block = attempt(function, 6, 4)
    expect(isinstance(block, nn.Module), f"the block should be an nn.Module, but is a {type(block).__name__}.")
    block.train()
    x = torch.randn(16, 6, 7, 7)
    y = attempt(block, x)
    expect(
        tuple(y.shape[2:]) == (14, 14),
        f"a 7 x 7 map became {y.shape[2]} x {y.shape[3]}, not 14 x 14.",
        "Kernel 4, stride 2, padding 1: (7 - 1) * 2 - 2 + 4 = 14.",
    )
    expect_tensor(y, (16, 4, 14, 14), "the block's output")
    expect(
        not _saturates(block, x),
        "no output is beyond 1, whatever goes in: a tanh or sigmoid belongs at the image only.",
        "Inside the generator the paper uses ReLU.",
    )
    expect(
        y.min() >= 0,
        f"some outputs are negative ({y.min():.2f}): the generator's hidden layers end in a ReLU.",
        "LeakyReLU is the discriminator's. And the activation comes after the normalisation.",
    )
    norms = [layer for layer in block.modules() if isinstance(layer, nn.BatchNorm2d)]
    expect(
        all(layer.eps < 1e-2 for layer in norms),
        "BatchNorm was given a large eps, which is added to the variance: a small signal stays small.",
        "The second argument of BatchNorm2d is eps. Write momentum=... if you mean that.",
    )
    expect(
        torch.allclose(y, block(100 * x), atol=0.05),
        "an input a hundred times as large changes the output: nothing normalises the signal.",
        "Put nn.BatchNorm2d(outputs) before the ReLU.",
    )
    kinds = [type(layer) for layer in block.modules()]
    late = nn.ReLU in kinds and nn.BatchNorm2d in kinds and kinds.index(nn.ReLU) < kinds.index(nn.BatchNorm2d)
    expect(not late, "BatchNorm comes after the ReLU.", "Convolve, normalise, then ReLU.")
    layers = [m for m in block.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    expect(
        all(layer.bias is None for layer in layers),
        "the convolution has a bias, which BatchNorm subtracts again: numbers that are trained for nothing.",
        "Pass bias=False.",
    )
    alone = block(x[:2])
    expect(
        not torch.allclose(alone, y[:2], atol=1e-3),
        "the images of a batch do not influence each other: this normalisation is not BatchNorm.",
        "The paper's rule says BatchNorm.",
    )


def _saturates(block: nn.Module, x: torch.Tensor) -> bool:
    return block(50 * x).abs().max() <= 1.0


@check
def on_the_arc(function: Any) -> None:
    """Spherical interpolation."""
    rng = torch.Generator().manual_seed(3)
    start, end = 3 * F.normalize(torch.randn(2, 20, generator=rng) + 0.5, dim=1)  # less than a right angle apart
    codes = {}
    for t in (0.0, 0.25, 0.5, 1.0):
        code = attempt(function, start.clone(), end.clone(), t)
        expect(
            not (isinstance(code, torch.Tensor) and code.isnan().any()),
            "the code is NaN: acos was given a number beyond 1.",
            "The inner product is a cosine only after division by both lengths.",
        )
        expect_tensor(code, (20,), f"the code at t = {t}")
        codes[t] = code
    if torch.allclose(codes[0.0], end, atol=1e-3) and torch.allclose(codes[1.0], start, atol=1e-3):
        expect(False, "the walk goes backwards: t = 0 gives the end.", "At t = 0 only `start` should count.")
    half, quarter = codes[0.5].norm().item(), _angle(start, codes[0.25]) / _angle(start, end)
    expect(
        not torch.allclose(codes[0.5], (start + end) / 2, atol=1e-3),
        f"halfway the code is {half:.2f} long, where both ends are 3 long: this is the straight line.",
        "Replace the weights 1 - t and t by ratios of sines.",
    )
    for t, wanted in ((0.0, start), (1.0, end)):
        far = (codes[t] - wanted).norm().item()
        expect(
            far < 0.01,
            f"at t = {t:g} the code is not the {'start' if t == 0 else 'end'} (it is {codes[t].norm():.2f} long, "
            "where both are 3 long).",
            "Divide by sin(angle), and do not bring the ends to length 1 for good.",
        )
    expect(
        abs(half - 3) < 0.01,
        f"halfway the code is {half:.2f} long, where both ends are 3 long: it has left the sphere.",
        "Are the angle and the sines taken of radians, and of t * angle as a whole?",
    )
    expect(
        abs(quarter - 0.25) < 0.005,
        f"at t = 0.25 the walk has covered {quarter:.0%} of the angle: its speed is not even.",
        "A straight line brought to the right length is on the sphere, but not evenly. Use the sines.",
    )
    uneven = attempt(function, start.clone(), 2 * end, 0.5)
    expect(
        3.05 < uneven.norm() < 5.95,
        f"between codes of length 3 and 6 the walk gives one of length {uneven.norm():.2f}.",
        "Take the angle of the codes brought to length 1, but mix the codes themselves.",
    )


def _angle(a: torch.Tensor, b: torch.Tensor) -> float:
    return F.cosine_similarity(a.double(), b.double(), dim=0).clamp(-1, 1).acos().item()


@check
def copies_in_a_row(function: Any) -> None:
    """How many inputs reach each output of a transposed convolution."""
    for inputs, kernel, stride in ((4, 4, 2), (4, 5, 2), (4, 3, 2), (3, 2, 3), (5, 3, 1), (1, 4, 2)):
        answer = attempt(function, inputs, kernel, stride)
        counts = _whole_numbers(answer)
        expect(counts is not None, "the counts should be a list or a tensor of numbers.", "Return the whole list.")
        true = (
            F.conv_transpose1d(torch.ones(1, 1, inputs), torch.ones(1, 1, kernel), stride=stride)[0, 0].int().tolist()
        )
        case = f"{inputs} inputs, kernel {kernel}, stride {stride}"
        expect(
            counts != [kernel] * len(counts) or counts == true,
            f"{case}: every count is {kernel}, but at the ends fewer kernels overlap.",
            "Draw the kernels of four inputs on paper.",
        )
        if len(counts) == inputs * stride != len(true):
            expect(
                False,
                f"{case}: there are {len(true)} output pixels, not inputs * stride = {len(counts)}.",
                "The kernel of the last input reaches beyond its first pixel.",
            )
        expect(
            len(counts) == len(true),
            f"{case}: there are {len(true)} output pixels, and you have {len(counts)}.",
            "(inputs - 1) * stride + kernel",
        )
        expect(
            sum(counts) == inputs * kernel,
            f"{case}: your counts sum to {sum(counts)}; each input gives {kernel} copies, so {inputs * kernel}.",
            "Does each input reach `kernel` output pixels, no more and no fewer?",
        )
        expect(
            counts == true,
            f"{case}: the copies are at the wrong places: {counts}.",
            "Input number i begins at output pixel i * stride.",
        )


def _whole_numbers(answer: Any) -> list[int] | None:
    try:
        values = torch.as_tensor(answer).flatten().tolist()
    except (TypeError, ValueError, RuntimeError):
        return None
    return [int(value) for value in values] if torch.as_tensor(answer).ndim else None


ALIBIS = {
    1: "line 1 is right: a BatchNorm follows two lines below, so the linear layer needs no bias.",
    2: "line 2 only gives the numbers a shape. The package does it in another order, which is as good.",
    3: "line 3 does what BatchNorm promises: the standard deviation after it is 1.",
    4: "line 4 is a ReLU, which cuts half of a normal signal: 0.58 is what it should leave.",
    5: "after line 5 the signal is small in both networks: weights of 0.02 make it so.",
    7: "line 7 is a ReLU on a signal that was too small already when it came in.",
    8: "line 8 shows the damage, but what comes into it is too small already.",
    9: "line 9 is the tanh, which leaves small numbers nearly as they are.",
}


@check
def culprit(line: Any) -> None:
    """Which line of the generator shrinks the signal: 6, eps where momentum was meant."""
    expect(
        isinstance(line, int) and not isinstance(line, bool) and 1 <= line <= 9,
        f"the answer should be the number of a line, 1 to 9, but is {line!r}.",
        "Write for example `culprit = 1`.",
    )
    expect(
        line == 6, ALIBIS.get(line, ""), "After which line is the signal first much smaller than in the other network?"
    )
