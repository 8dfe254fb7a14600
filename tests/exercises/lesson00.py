"""Answers to the exercises of lesson 00: valid ones of another form than the reference, and wrong ones."""

import torch


def straight_or_swapped(swap):
    def walk(start, end, steps):
        a, b = (end, start) if swap else (start, end)
        return torch.stack([a + (b - a) * i / (steps - 1) for i in range(steps)])

    return walk


def spherical(start, end, steps):
    from gan_course.widgets import slerp

    return slerp(start, end, torch.linspace(0, 1, steps))


VALID = {
    "how_many_numbers": [100, 100.0],
    "to_minus_one_one": [
        lambda p: p.double().div(255).sub(0.5).mul(2),
        lambda p: torch.lerp(torch.tensor(-1.0), torch.tensor(1.0), p.to(torch.float32) / 255),
        lambda p: p.float() * (2 / 255) - 1,
    ],
    "walk": [straight_or_swapped(False), spherical],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "how_many_numbers": [
        (784, "what the generator puts out"),
        (10, "never told about classes"),
        (28, "28 is too few"),
        (128, "128 is too many"),
        ("a hundred", "should be a number"),
    ],
    "to_minus_one_one": [
        (lambda p: p.float() / 255, r"in \[0, 1\]; a tanh generator"),
        (lambda p: p.float() * 2 - 1, "reaches from -1 to 509"),
        (lambda p: (p.float() - p.min()) / (p.max() - p.min()) * 2 - 1, "dim image was stretched"),
        (lambda p: p / 127 - 1, r"reaches from -1 to 1\.008"),
        (lambda p: (p.float() - 128) / 128, "255 became 0.992"),
        (lambda p: p * 2 - 255, r"is torch\.uint8|whole numbers"),
        (lambda p: p * 2 / 255 - 1, "153 became -0.804: the formula is right, but uint8"),
        (lambda p: (p - 127.5).div(127.5) if p.is_floating_point() else (p - 127) / 127.5, "uint8 holds 0 to 255"),
        (lambda p: 1 - p.float() / 127.5, "swapped"),
        (lambda p: p.float() / 127.5 - 1 if p.ndim > 9 else None, "returned nothing"),
        (lambda p: (p.float() / 127.5 - 1).flatten(), r"shape \(2, 3\), but has \(6,\)"),
        (lambda p: (p.float() / 127.5 - 1).numpy(), "should be a tensor"),
        (lambda p: torch.tanh(p.float() / 127.5 - 1) / 0.7616, "straight line"),
    ],
    "walk": [
        (straight_or_swapped(True), "backwards"),
        (lambda a, b, n: a + (b - a) * (torch.arange(n)[:, None] / n), "last code is not the end"),
        (lambda a, b, n: torch.stack([a + (b - a) * i / n for i in range(n + 1)]), "6 codes; 5 were asked"),
        (lambda a, b, n: a[:, None] + (b - a)[:, None] * torch.linspace(0, 1, n), r"columns: the shape is \(3, 5\)"),
        (lambda a, b, n: torch.stack([a] * (n - 1) + [b]), "stands still or jumps"),
        (lambda a, b, n: (a + b) / 2, r"shape \(5, 3\), but has \(3,\)"),
        (lambda a, b, n: a + b * torch.linspace(0, 1, n)[:, None], "last code is not the end"),
        (lambda a, b, n: torch.linspace(0, 1, n) * b, "RuntimeError|raised"),
    ],
}
