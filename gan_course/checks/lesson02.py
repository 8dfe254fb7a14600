"""Checks for the exercises of lesson 02."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course.checks.framework import attempt, check, expect, expect_tensor
from gan_course.checks.scripts import LINES, mended, recordings, tiny_pair, weights
from gan_course.symptoms import Watch

__all__ = ["d_step_from_codes", "g_loss", "mended", "recordings", "which_line", "who_moved"]


@check
def g_loss(function: Any) -> None:
    """The non-saturating loss of G on logits: value and, above all, gradient."""
    logits = torch.tensor([-2.0, 0.5, 1.0, 3.0], requires_grad=True)
    value = attempt(function, logits)
    expect(
        not (isinstance(value, Tensor) and value.shape == (4,)),
        "the result has one number for each image; a loss is one number.",
        "Take the mean over the batch.",
    )
    expect_tensor(value, (), "the loss")
    expect(
        value.requires_grad,
        "the loss has no gradient: it is cut off from the logits.",
        "No .detach(), .item(), no torch.tensor(...) around a tensor, and no torch.no_grad().",
    )
    value = value.detach()
    known = {
        F.softplus(-logits).sum(): (
            "it is the sum over the batch and not the mean: its gradient grows with the batch size.",
            "Use .mean().",
        ),
        F.softplus(logits).mean(): (
            "minimising this makes D's logits for fakes *smaller*: G would help D. The sign is wrong.",
            "-log sigmoid(l) = softplus(-l).",
        ),
        -F.softplus(logits).mean(): (
            "this is the minimax loss, log(1 - D(G(z))). Its gradient vanishes at fakes that D is sure about.",
            "Asked for is -log D(G(z)).",
        ),
        -F.softplus(-logits).mean(): ("this is +log D(G(z)), but an optimizer minimises.", "Put a minus in front."),
        F.softplus(-logits.sigmoid()).mean(): (
            "there is a sigmoid too many: softplus takes the logits themselves.",
            "softplus(-l) already holds the sigmoid: it is -log sigmoid(l).",
        ),
        -logits.mean(): ("this is the Wasserstein loss of lesson 05.", "Asked for is -log sigmoid(l)."),
        -logits.sigmoid().mean(): ("the logarithm is missing.", "-log sigmoid(l) = softplus(-l)."),
    }
    for wrong, (problem, hint) in known.items():
        expect(not torch.isclose(value, wrong.detach(), rtol=1e-4), problem, hint)
    right = F.softplus(-logits).mean().item()
    expect(abs(value.item() - right) < 1e-3, f"for the logits {logits.tolist()} it is {value:.4f} and not {right:.4f}.")
    for logit in (-100.0, -30.0, 0.0, 100.0):
        _expect_slope(function, logit)


def _expect_slope(function: Any, logit: float) -> None:
    """The gradient at one logit must be sigmoid(logit) - 1."""
    at = torch.full((1,), logit, requires_grad=True)
    value = attempt(function, at)
    expect_tensor(value, (), f"the loss at a logit of {logit:.0f}")
    (slope,) = torch.autograd.grad(value, at)
    wanted = torch.sigmoid(torch.tensor(logit)).item() - 1
    expect(
        abs(slope.item() - wanted) < 1e-3,
        f"small logits come out right, but at a logit of {logit:.0f} the slope is {slope.item() + 0.0:.3g} where "
        f"{wanted:.3g} is right: there G learns nothing.",
        "The logarithm of a rounded sigmoid loses its gradient; 1e-8 or a clamp only hides it. Use F.softplus.",
    )


@check
def d_step_from_codes(function: Any) -> None:
    """One step of D from codes: its weights, and nothing else, move as they should."""
    torch.default_generator.manual_seed(2)
    real, z = torch.rand(5, 1, 2, 4) * 2 - 1, torch.randn(5, 3)
    generator, discriminator = tiny_pair()
    for parameter in discriminator.parameters():
        parameter.grad = torch.ones_like(parameter)  # left over from an earlier step
    optimizer = torch.optim.SGD(discriminator.parameters(), lr=0.1)
    start = weights(discriminator)
    with Watch(generator, discriminator) as seen:
        result = attempt(function, generator, discriminator, optimizer, real, z)
    expect(
        "G" not in "".join(seen.moved),
        "the step moved G's weights. D's step is D's alone.",
        "One step(), of d_optimizer.",
    )
    expect(
        seen.counts().get("D", 0) == 1 and len(seen.moved) == 1,
        f"D's weights should move in one optimizer step; yours made {len(seen.moved)} step(s), and D moved in "
        f"{seen.counts().get('D', 0)}.",
        "One loss of both terms, one backward(), one d_optimizer.step().",
    )
    expect(
        all(parameter.grad is None for parameter in generator.parameters()),
        "G was given gradients by D's step: time is wasted, and they may be added to G's own.",
        "Use fake.detach(), or draw the fakes inside `with torch.no_grad():`.",
    )
    expect(seen.real_shown > 0, "D was not shown the real images.", "The loss needs discriminator(real) too.")
    expect(
        seen.fake_range is not None,
        "D was not shown any fakes.",
        "The loss needs discriminator(fake), with fake = generator(z).",
    )
    expect(
        all(parameter.requires_grad for parameter in generator.parameters()),
        "your step has left G frozen: G's next step could not move it.",
        "Detaching the fake is enough; G need not be frozen.",
    )
    expect(
        seen.was_fed(z),
        "G was fed other codes than the z that you were given.",
        "fake = generator(z)",
    )
    moved = (start - weights(discriminator)) / 0.1  # the gradient that the step used
    _name_the_gradient(moved, *_gradients(real, z))
    is_number = isinstance(result, float) or (isinstance(result, Tensor) and result.numel() == 1)
    loss = float(torch.as_tensor(result).detach()) if is_number else None
    expect(loss is not None, "the step should return its loss, one number.", "return loss.detach()")
    generator, discriminator = tiny_pair()
    wanted = (F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(generator(z))).mean()).item()
    expect(abs(loss - wanted) < 1e-3, f"the step is right, but it returned {loss:.4f} and not its loss, {wanted:.4f}.")


def _gradients(real: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of the real and of the fake term by D's weights."""
    generator, discriminator = tiny_pair()
    terms = F.softplus(-discriminator(real)).mean(), F.softplus(discriminator(generator(z).detach())).mean()
    parts = [torch.autograd.grad(term, list(discriminator.parameters())) for term in terms]
    return tuple(torch.cat([gradient.flatten() for gradient in part]) for part in parts)


def _name_the_gradient(moved: Tensor, real: Tensor, fake: Tensor) -> None:
    """Compare the gradient that a step used with that of typical mistakes."""

    def same(other: Tensor) -> bool:
        return torch.allclose(moved, other, atol=1e-4)

    right = real + fake
    expect(
        not same(right + 1) and not same(right / 2 + 1),
        "what was left over in D's gradients went into the step.",
        "Call d_optimizer.zero_grad() before backward().",
    )
    expect(not same(real), "only the real images count in the loss.", "Add the mean of softplus(discriminator(fake)).")
    expect(not same(fake), "only the fakes count in the loss.", "Add the mean of softplus(-discriminator(real)).")
    expect(
        not same(-right),
        "D climbs instead of descending: the sign of the whole loss is wrong.",
        "The optimizer minimises, and -log D(x) = softplus(-l).",
    )
    expect(
        not same(right / 2),
        "the step is half as long: somewhere there is a factor of one half, or one mean over real and fake together.",
        "The course's loss is the sum of two means.",
    )
    expect(
        not same(5 * right),
        "the step is 5 times too long for a batch of 5: it is a sum.",
        "Take the mean of each term.",
    )
    expect(
        same(right),
        "D moved, but not down the gradient of its loss.",
        "softplus(-discriminator(real)) for real images, softplus(discriminator(fake)) for fakes: mind both signs.",
    )


@check
def who_moved(function: Any) -> None:
    """The names of the networks whose weights an action changed."""

    def nudge(network: nn.Module, which: int) -> None:
        with torch.no_grad():
            list(network.parameters())[which].add_(1e-3)

    for names, which in (("", 0), ("G", 0), ("D", 0), ("GD", 0), ("G", -1), ("D", 1)):
        pair = dict(zip("GD", tiny_pair(), strict=True))
        calls = []

        def action(names=names, pair=pair, calls=calls, which=which):
            calls.append(1)
            for name in names:
                nudge(pair[name], which)

        result = attempt(function, pair["G"], pair["D"], action)
        _expect_names(result, set(names), len(calls), which)
    generator, discriminator = tiny_pair()
    result = attempt(
        function, generator, discriminator, lambda: discriminator(generator(torch.randn(4, 3))).mean().backward()
    )
    expect(
        result == set(),
        f"you returned {result} for an action that only calculated gradients: gradients are not weights.",
        "Compare the parameters themselves, not their .grad.",
    )


def _expect_names(result: Any, wanted: set[str], calls: int, which: int) -> None:
    expect(
        isinstance(result, set | frozenset),
        f"the result should be a set such as {{'G'}}, but is {result!r}.",
        "set() is the empty set; {} would be a dictionary.",
    )
    expect(
        calls == 1, f"action was called {calls} times, and should be called once.", "Write action() between two looks."
    )
    if result == set() and wanted:
        expect(
            which != 0,
            f"the action changed {' and '.join(sorted(wanted))}, but you saw no change: what you compare with moved "
            "along, or you looked at something else than weights. An action may change weights without any optimizer.",
            "Weights change in place. Keep copies from before: p.detach().clone().",
        )
        expect(
            False, "a change was overlooked: only one of the network's tensors had moved.", "Compare all parameters."
        )
    expect(
        result == wanted,
        f"the action changed {wanted or 'nothing'}, but you returned {set(result) or 'the empty set'}.",
        "One changed tensor is enough for a network to be named, and none is not.",
    )


WHY = {
    "A": "look at how many different codes G was fed",
    "B": "both losses go to 0: both players win, so they are not opponents",
    "C": "compare every count with what 20 epochs should give, and D's loss with its answers",
    "D": "look at which networks the optimizer steps moved",
    "E": "calculate -log D(x) - log(1 - D(G(z))) from the answers, and compare it with D's loss",
}


@check
def which_line(answer: Any) -> None:
    """Which line of the script went wrong in each recording."""
    expect(
        isinstance(answer, dict) and set(answer) == set(LINES),
        "the answer should be a dictionary with the keys A to E.",
        'For example {"A": 3, "B": 0, ...}.',
    )
    if all(value is None for value in answer.values()):
        raise NotImplementedError
    answer = {letter: int(line) if str(line).strip().isdecimal() else line for letter, line in answer.items()}
    used = [value for value in answer.values() if value is not None]
    for letter, line in LINES.items():
        found = answer[letter]
        expect(
            found == line or line == 0 or found != 0,
            f"recording {letter} is not the healthy one.",
            f"Recording {letter}: {WHY[letter]}.",
        )
        expect(
            found == line or line != 0,
            f"line {found} is innocent in recording {letter}.",
            f"Recording {letter}: {WHY[letter]}.",
        )
        expect(
            found == line,
            f"in recording {letter} it is not line {found}.",
            f"Recording {letter}: {WHY[letter]}." + (" Each line is used once." if len(set(used)) < len(used) else ""),
        )
