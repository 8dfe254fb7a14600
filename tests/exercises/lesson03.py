"""Answers to the exercises of lesson 03: valid ones of another form than the reference, and wrong ones."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def side_by_torch(side, kernel, stride, padding, transposed):
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    return kind(1, 1, kernel, stride, padding)(torch.zeros(1, 1, side, side)).shape[-1]


def side_by_floor(side, kernel, stride, padding, transposed):
    grown = (side - 1) * stride + kernel - padding - padding
    return grown if transposed else math.floor((side + 2 * padding - kernel) / stride + 1)


def side_of(convolution, transposed):
    return lambda n, k, s, p, t: transposed(n, k, s, p) if t else convolution(n, k, s, p)


def good_convolution(n, k, s, p):
    return (n + 2 * p - k) // s + 1


def good_transposed(n, k, s, p):
    return (n - 1) * s - 2 * p + k


def initialise_with(weight=(0.0, 0.02), scale=(1.0, 0.02), bias=0.0, kinds=(nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
    """An initialisation in the style of many programs, by tensor methods."""

    def initialise_layer(module):
        if isinstance(module, kinds):
            module.weight.data.normal_(*weight)
            if module.bias is not None:
                module.bias.data.fill_(bias)
        elif isinstance(module, nn.BatchNorm2d) and module.affine and scale:
            module.weight.data.normal_(*scale)
            module.bias.data.fill_(bias)
        return module

    return initialise_layer


def by_class_name(module):
    name = type(module).__name__
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    with torch.no_grad():
        if "Conv" in name or name == "Linear":
            weight.copy_(torch.randn_like(weight) * 0.02)
        if "BatchNorm" in name and weight is not None:
            weight.copy_(1 + torch.randn_like(weight) * 0.02)
        if bias is not None:
            bias.zero_()


def forgets_missing_bias(module):
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)
    else:
        initialise_with()(module)


def leaves_biases(module):
    old = None if isinstance(module, nn.BatchNorm2d) else getattr(module, "bias", None)
    kept = old.clone() if old is not None else None
    initialise_with()(module)
    if kept is not None:
        old.data.copy_(kept)


def uniform(module):
    initialise_with()(module)
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.uniform_(module.weight, -0.02 * 3**0.5, 0.02 * 3**0.5)


def resized(inputs, outputs):
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return nn.Sequential(nn.Upsample(scale_factor=2), convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def block(*layers):
    """An answer to up_block from functions (inputs, outputs) -> layer."""
    return lambda inputs, outputs: nn.Sequential(*(layer(inputs, outputs) for layer in layers))


def up(kernel=4, padding=1, **arguments):
    arguments = {"bias": False} | arguments
    return lambda i, o: nn.ConvTranspose2d(i, o, kernel, stride=2, padding=padding, **arguments)


def norm(i, o):
    return nn.BatchNorm2d(o)


def relu(i, o):
    return nn.ReLU()


class BlockClass(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.relu(self.norm(self.up(x)))


def arc_by_basis(start, end, t):
    """Turn from start towards end in their plane, with an orthonormal basis; mix the lengths."""
    a, b = start / start.norm(), end / end.norm()
    angle = torch.acos(a @ b)
    sideways = F.normalize(b - (a @ b) * a, dim=0)
    length = (1 - t) * start.norm() + t * end.norm()
    return length * (torch.cos(t * angle) * a + torch.sin(t * angle) * sideways)


def arc_of_package(start, end, t):
    from gan_course.widgets import slerp

    return slerp(start, end, t)


def arc(cosine=None, weights=None, ends=lambda a: a):
    """A slerp with one thing changed."""

    def on_the_arc(start, end, t):
        angle = torch.acos(cosine(start, end) if cosine else F.cosine_similarity(start, end, dim=0))
        first, second = weights(angle, t) if weights else (torch.sin((1 - t) * angle), torch.sin(t * angle))
        return (first * ends(start) + second * ends(end)) / torch.sin(angle)

    return on_the_arc


def line(start, end, t):
    return (1 - t) * start + t * end


def line_at_the_right_length(start, end, t):
    length = (1 - t) * start.norm() + t * end.norm()
    return F.normalize(line(start, end, t), dim=0) * length


def counts_by_sum(inputs, kernel, stride):
    side = (inputs - 1) * stride + kernel
    return [sum(0 <= x - i * stride < kernel for i in range(inputs)) for x in range(side)]


def counts_by_slices(inputs, kernel, stride, step=None, side=None):
    counts = torch.zeros(side or (inputs - 1) * stride + kernel)
    for i in range(inputs):
        start = i * (step or stride)
        counts[start : start + kernel] += 1
    return counts


VALID = {
    "output_side": [side_by_torch, side_by_floor],
    "initialise_layer": [initialise_with(), by_class_name],
    "up_block": [
        BlockClass,
        block(up(kernel=5, padding=2, output_padding=1), norm, relu),
        resized,
    ],
    "on_the_arc": [arc_by_basis, arc_of_package, arc()],
    "copies_in_a_row": [counts_by_sum, counts_by_slices],
    "culprit": [6, True + 5],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "output_side": [
        (side_of(lambda n, k, s, p: (n + p - k) // s + 1, good_transposed), "padding is at both ends"),
        (side_of(lambda n, k, s, p: (n + 2 * p - k) // s, good_transposed), "one too few"),
        (side_of(lambda n, k, s, p: (n + 2 * p - k) / s + 1, good_transposed), "whole number"),
        (side_of(good_convolution, good_convolution), "after a convolution"),
        (side_of(good_convolution, lambda n, k, s, p: n * s), "multiplies the side by the stride"),
        (side_of(good_convolution, lambda n, k, s, p: (n - 1) * s - p + k), "padding is at both ends"),
        (side_of(good_convolution, lambda n, k, s, p: (n - 1) * s + 2 * p - k), "the transposed convolution gives"),
        (side_of(lambda n, k, s, p: n // s, good_transposed), "the convolution gives"),
    ],
    "initialise_layer": [
        (initialise_with(scale=(0.0, 0.02)), "switch the layer off"),
        (initialise_with(weight=(0.0, 0.02**0.5)), "have the variance 0.02"),
        (initialise_with(weight=(0.0, 0.0004)), "standard deviation 0.0004"),
        (initialise_with(scale=None), "BatchNorm was not initialised"),
        (initialise_with(kinds=(nn.Conv2d, nn.Linear)), "ConvTranspose2d were left"),
        (initialise_with(weight=(1.0, 0.02)), "have the mean 1.00"),
        (initialise_with(scale=(1.0, 0.2)), "standard deviation 0.(2|19)"),
        (initialise_with(bias=0.01), "shift of BatchNorm is not 0"),
        (leaves_biases, "bias of Conv2d is not 0"),
        (forgets_missing_bias, "made with bias=False"),
        (uniform, "not normally distributed"),
    ],
    "up_block": [
        (block(up(kernel=4, padding=0), norm, relu), "16 x 16, not 14 x 14"),
        (block(lambda i, o: nn.Conv2d(i, o, 4, stride=2, padding=1, bias=False), norm, relu), "3 x 3, not 14 x 14"),
        (block(up(), norm, lambda i, o: nn.LeakyReLU(0.2)), "some outputs are negative"),
        (block(up(), norm, lambda i, o: nn.Tanh()), "tanh or sigmoid"),
        (block(up(), relu), "nothing normalises"),
        (block(up(), lambda i, o: nn.BatchNorm2d(o, 0.8), relu), "given a large eps"),
        (block(up(), relu, norm), "some outputs are negative"),
        (block(up(), relu, norm, relu), "after the ReLU"),
        (block(up(bias=True), norm, relu), "has a bias"),
        (block(up(), lambda i, o: nn.InstanceNorm2d(o), relu), "not BatchNorm"),
        (lambda i, o: block(up(), norm, relu)(i, i), r"\(16, 4, 14, 14\), but has \(16, 6, 14, 14\)"),
        (lambda i, o: [up()(i, o), norm(i, o), nn.ReLU()], "should be an nn.Module"),
    ],
    "on_the_arc": [
        (line, "this is the straight line"),
        (line_at_the_right_length, "speed is not even"),
        (arc(cosine=lambda a, b: a @ b), "acos was given a number beyond 1"),
        (lambda a, b, t: arc_of_package(b, a, t), "goes backwards"),
        (arc(ends=lambda a: F.normalize(a, dim=0)), "at t = 0 the code is not the start"),
        (arc(weights=lambda angle, t: ((1 - t) * torch.sin(angle), t * torch.sin(angle))), "straight line"),
        (lambda a, b, t: arc()(a, b, t) * torch.sin(torch.acos(F.cosine_similarity(a, b, dim=0))), "not the start"),
        (lambda a, b, t: 3 * F.normalize(arc()(a, b, t), dim=0), "between codes of length 3 and 6"),
    ],
    "copies_in_a_row": [
        (lambda inputs, kernel, stride: [kernel] * ((inputs - 1) * stride + kernel), "every count is 4"),
        (lambda i, k, s: counts_by_slices(i, k, s, side=i * s), "not inputs \\* stride = 8"),
        (lambda i, k, s: counts_by_slices(i, k, s, step=1), "at the wrong places"),
        (lambda i, k, s: counts_by_slices(i, k - 1, s), "you have 9"),
        (lambda i, k, s: [1] * ((i - 1) * s + k), "sum to 10"),
        (lambda i, k, s: i * k, "should be a list"),
    ],
    "culprit": [
        (3, "line 3 does what BatchNorm promises"),
        (5, "after line 5 the signal is small in both"),
        (8, "line 8 shows the damage"),
        (1, "needs no bias"),
        (7, "too small already when it came in"),
        ("line 6", "should be the number"),
        (10, "should be the number"),
    ],
}
