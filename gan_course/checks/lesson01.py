"""Checks for the exercises of lesson 01."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course.checks.framework import attempt, check, expect, expect_number, expect_tensor, gradient_of
from gan_course.checks.rounds import Game


@check
def best_answer(guess: Any) -> None:
    """What the best discriminator answers where real samples are three times as dense: 3 / (3 + 1)."""
    guess = expect_number(guess, "the guess", "Write for example `guess = 0.4`.")
    hint = "Whatever D answers, some of the samples at x are real and some are generated. Which share is real?"
    expect(guess != 3, "3 is the ratio of the densities; D's answer lies between 0 and 1.", hint)
    expect(guess != 75, "75 is a percentage; D's answer lies between 0 and 1.", "Divide by 100.")
    expect(0 <= guess <= 1, f"D's answer lies between 0 and 1, but the guess is {guess:g}.", hint)
    expect(guess != 1, "with 1, D would call every sample at x real, and one in four of them is generated.", hint)
    expect(guess != 0.5, "0.5 is right where both densities are equal. Here D knows more than a coin does.", hint)
    expect(guess != 0.25, "0.25 is how sure D should be that the sample is generated. D(x) speaks of real.", hint)
    expect(abs(guess - 0.75) < 0.005, f"it is not {guess:g}.", hint)


@check
def optimal_discriminator(function: Any) -> None:
    """D* = p / (p + q), spot by spot."""
    p, q = torch.tensor([[1.0, 3.0, 0.5, 2.0], [1.0, 1.0, 2.0, 0.25]], dtype=torch.float64)
    result = attempt(function, p.clone(), q.clone())
    expect_tensor(result, (4,))
    result, wanted, share = (
        result.double(),
        p / (p + q),
        "Which share of the samples at one spot is real: p out of p + q.",
    )
    sigmoid = "a sigmoid of p/q or p - q is not D*: its logit is the difference of the logarithms, log p - log q."
    hard = "this decides for the likelier side. D* is a probability: at p = 3q one sample in four is still generated."
    mistakes = [
        (1 - wanted, "real and generated are swapped: this is q/(p+q)."),
        (p / q, "this is the ratio p/q, which exceeds 1. D answers in [0, 1]."),
        ((p / q).log(), "this is the logit, log p - log q. It belongs to D*, but D* itself is its sigmoid."),
        (torch.sigmoid(p / q), sigmoid),
        (torch.sigmoid(p - q), sigmoid),
        ((p > q).double(), hard),
        ((p >= q).double(), hard),
    ]
    for mistake, problem in mistakes:
        expect(not _close(result, mistake), problem, share)
    alone = attempt(function, p[:1].clone(), q[:1].clone()).double()
    expect(
        _close(alone, result[:1]),
        "the answer at a spot changes with the other spots: something is summed or normalised over all of them.",
        "No .sum(), .max() or softmax: each spot for itself.",
    )
    expect(_close(result, wanted), f"at p = 3, q = 1 it should be 0.75, but is {result[1]:.3f}.", share)
    ends = attempt(function, torch.tensor([0.0, 2.0]), torch.tensor([1.0, 0.0]))
    expect_tensor(ends, (2,), "the result where p or q is 0")
    expect(_close(ends, torch.tensor([0.0, 1.0])), "where p = 0 it should be 0, and where q = 0 it should be 1.", share)


@check
def value_at_best(function: Any) -> None:
    """V(D*) = integral of p log D* + q log(1 - D*) = 2 JS - log 4."""
    x = torch.linspace(-12, 12, 4801, dtype=torch.float64)
    dx, log4 = (x[1] - x[0]).item(), math.log(4)
    p, q = _normal(x, 0.0), _normal(x, 1.5)
    results = [attempt(function, p, p, dx), attempt(function, p, q, dx)]
    scalars = all(isinstance(result, Tensor) and result.ndim == 0 for result in results)
    expect(scalars, "the result should be one number, a scalar tensor.", "Sum over the grid, times dx. No .item().")
    same, apart = (result.item() for result in results)
    expect(
        math.isfinite(same),
        f"it is {same} even where both densities are positive.",
        "Is there log of a negative number?",
    )
    mistakes = [
        (0, "for p = q it is 0: that is a divergence. V(D*) is lower by log 4.", "Put D* into the integral of step 1."),
        (-log4 / dx, "the sum is not multiplied by dx, so a finer grid gives a larger value.", "Heights times widths."),
        (-2, "for p = q it is -2: the logarithm is to base 2.", "torch.log is the natural logarithm."),
        (log4, "for p = q it is +log 4: the sign is turned.", "V is what D maximises."),
        (-log4 / 2, "for p = q it is half of -log 4.", "Both terms count in full. Is one missing?"),
    ]
    for mistake, problem, hint in mistakes:
        expect(abs(same - mistake) > 1e-3, problem, hint)
    expect(abs(same + log4) < 1e-3, f"for p = q it should be -log 4 = -1.386, but is {same:.3f}.", "D* is 1/2 there.")
    _expect_value_apart(function, apart, p, q, dx)
    left, right = ((x > -3) & (x < -1)).double() / 2, ((x > 1) & (x < 3)).double() / 2
    value = attempt(function, left, right, dx).item()
    zero = "0 log 0 counts as 0: torch.xlogy. Where both are 0, p/(p+q) is 0/0: clamp the denominator."
    expect(math.isfinite(value), f"it is {value} for densities that are 0 in places.", zero)
    expect(
        abs(value) < 0.01,
        f"for densities that never overlap D is always right, and V is 0, but it is {value:.3f}.",
        zero,
    )
    value = attempt(function, left.float(), right.float(), dx).item()
    expect(
        abs(value) < 0.01,
        f"it is {value} for float32 densities that are 0 in places, though right for float64.",
        "A number such as 1e-300 is 0 in float32. torch.where chooses without one.",
    )


def _expect_value_apart(function: Any, value: float, p: Tensor, q: Tensor, dx: float) -> None:
    wanted, hint = _value(p, q, dx), "p goes with log D*, q with log(1 - D*), and D* is p/(p+q) at every spot."
    swapped = "real samples are judged by 1 - D*, fakes by D*: the two terms are swapped."
    half = "it is -log 4 for different densities too: D is 1/2 everywhere, or one density stands in both places."
    expect(abs(value - _value(p, q, dx, swap=True)) > 1e-3, swapped, hint)
    expect(abs(value + math.log(4)) > 1e-3, half, hint)
    expect(
        abs(value - wanted) < 1e-3, f"for N(0, 1) and N(1.5, 1) it should be {wanted:.3f}, but is {value:.3f}.", hint
    )


@check
def minimax_losses(function: Any) -> None:
    """Both players' losses of the minimax game, values of D's and gradients of both."""
    d_loss, g_loss, real, fake = _losses(function, [2.0, -1.0, 0.5], [-3.0, 1.0, 0.2])
    real_term, fake_term = F.softplus(-real).mean().item(), F.softplus(fake).mean().item()
    wanted, d = real_term + fake_term, d_loss.item()
    turned = (F.softplus(real).mean() + F.softplus(-fake).mean()).item()
    hint = "D minimises the mean of softplus(-real) plus the mean of softplus(fake)."
    mistakes = [
        (-wanted, "D's loss has the wrong sign: D would get worse at its job."),
        (3 * wanted, "D's loss is a sum over the samples; E is a mean, whatever the batch size."),
        (wanted / 2, "D's loss is half of what it should be: the sum of two means is not divided by 2."),
        (real_term, "D's loss leaves out the fakes."),
        (fake_term, "D's loss leaves out the real samples."),
        (turned, "real and fake are swapped in D's loss: it would call real samples fake."),
    ]
    for mistake, problem in mistakes:
        expect(abs(d - mistake) > 1e-4, problem, hint)
    expect(abs(d - wanted) < 1e-4, f"D's loss should be {wanted:.4f} here, but is {d:.4f}.", hint)
    slope = gradient_of(d_loss, real)
    expect(slope is not None, "no gradient flows from D's loss to its logits.", "No .item(), .detach() or new tensor.")
    _expect_generator(gradient_of(g_loss, fake), fake)
    d_loss, g_loss, real, fake = _losses(function, [-120.0], [120.0])
    lost = "softplus is exact where the logarithm of a sigmoid is not."
    expect(abs(d_loss.item() - 240) < 0.1, f"at logits of -120 and 120 D's loss is {d_loss.item():.4g}, not 240.", lost)
    slope = gradient_of(d_loss, real)
    steep = slope is not None and abs(slope.item() + 1) < 1e-3
    expect(steep, "a real logit of -120 gets no gradient, just where D is most wrong.", lost)
    d_loss, g_loss, *_ = _losses(function, [120.0], [-120.0])
    expect(abs(d_loss.item()) < 0.1, f"at logits of 120 and -120 D's loss is {d_loss.item():.4g}, not 0.", lost)


def _expect_generator(slope: Tensor | None, fake: Tensor) -> None:
    """The gradient of G's loss at the fake logits is that of log(1 - D); a constant, such as D's real term, is free."""
    expect(slope is not None, "no gradient flows from G's loss to the fake logits.", "G's loss is about D(G(z)).")
    answer, n = fake.detach().sigmoid(), len(fake)
    expect(
        not _close(slope, (answer - 1) / n),
        "G's loss is the non-saturating one. It is a good loss (section 9), but the minimax game is asked for.",
        "G minimises E log(1 - D(G(z))), which is -softplus of the logit.",
    )
    expect(
        not _close(slope, answer / n),
        "G's loss has the wrong sign: G would help D to reject its fakes.",
        "D minimises +softplus(fake). G wants the opposite.",
    )
    expect(not _close(slope, -answer), "G's loss is a sum over the samples.", "E is a mean, whatever the batch size.")
    expect(_close(slope, -answer / n), "the gradient of G's loss is not that of log(1 - D(G(z))).", "-softplus(fake).")


@check
def one_round(function: Any) -> None:
    """k steps of D and one of G: compared with plain gradient descent, network by network."""
    for k, rounds in ((1, 1), (3, 1), (1, 2)):  # a second round shows what the first has left over
        game = Game(function, k, rounds)
        for player, mistake, problem, hint in _mistakes(k):
            expect(game.played(player) or not game.played(player, **mistake), problem, hint)
        turns = game.steps["d"] / rounds
        expect(
            turns in (0, k) or game.played("d"),
            f"in a round with k = {k}, d_optimizer.step() was called {turns:g} times.",
            "One step of D on each pair: for real, z in zip(reals, codes):",
        )
        expect(
            game.played("d"),
            "D has moved, but not as its loss says.",
            "Does G's loss move D? Is the fake in D's part detached, and zero_grad called before each backward?",
        )
        expect(
            game.played("g"),
            "G has moved, but not as its loss says: a gradient of D's loss has reached it, or it used other codes.",
            "Detach the fake in D's part, call g_optimizer.zero_grad() before g_loss.backward(), use the last codes.",
        )
        expect(
            not game.leaked,
            "D's loss has left a gradient on G: harmless only because G clears it later, and it cost a pass through G.",
            "Each gradient is to reach the right player only: detach the fake in D's part.",
        )
        _expect_returned(game)


def _expect_returned(game: Game) -> None:
    """The round returns its last two losses, D's first."""
    hint = "return d_loss.item(), g_loss.item()"
    pair = isinstance(game.returned, tuple | list) and len(game.returned) == 2
    expect(pair, "the round should return two numbers, d_loss and g_loss.", hint)
    numbers = all(isinstance(value, int | float | Tensor) for value in game.returned)
    expect(numbers, f"the round returned {game.returned!r}, which are no losses.", hint)
    found = torch.stack([torch.as_tensor(value, dtype=torch.float64).detach() for value in game.returned])  # (2,)
    wanted = torch.tensor(game.losses, dtype=torch.float64)
    expect(_close(found, wanted) or not _close(found, wanted.flip(0)), "the losses are swapped: D's comes first.", hint)
    expect(
        _close(found, wanted), f"the last losses are {_short(wanted)}, but the round returned {_short(found)}.", hint
    )


def _mistakes(k: int) -> list[tuple[str, dict, str, str]]:
    """Whose move, options of `_play`, what is wrong, hint."""
    loss = "The non-saturating loss is softplus(-logit), averaged."
    zero = "d_optimizer.zero_grad() before each d_loss.backward()."
    found = [
        ("d", {"rate": 0}, "D has not moved.", "d_loss.backward(), then d_optimizer.step()."),
        ("g", {"rate": 0}, "G has not moved.", "In G's part the fake must not be detached."),
        ("d", {"fakes": 0}, "D has learned from real samples only.", "Add softplus(D(fake)), averaged."),
        ("g", {"sign": -1}, "G minimises D(fake): it walks away from the real samples.", loss),
        ("g", {"minimax": True}, "G's loss is the minimax one.", loss),
        ("d", {"keep": True}, "D's gradients pile up: those of earlier turns, or of G's part, are still there.", zero),
    ]
    if k > 1:
        found += [
            ("g", {"g_turns": k}, f"G has moved {k} times in a round.", "G's part stands after the loop."),
            ("d", {"d_turns": 1}, f"D has moved once, with {k} pairs.", "for real, z in zip(reals, codes):"),
        ]
    return found


@check
def which_line(guess: Any) -> None:
    """The line that turned the run round: G's loss, line 5."""
    text = str(guess).lower().replace("line", "").strip().removesuffix(".0")
    known = {"1", "2", "3", "4", "5", "6"}
    expect(text in known, f"the answer should be a number from 1 to 6, but is {guess!r}.", "For example `guilty = 2`.")
    reasons = {
        "1": "line 1 makes the fakes and keeps the way back to G. Without it G could not move, and here it moves.",
        "2": "line 2 is right: real up, fake down, and the fake detached, so that D's loss leaves G alone.",
        "3": "line 3 is right: zero, backward, step, for D only. D's loss does fall, as the numbers show.",
        "4": "line 4 is right: no detach here, because G's gradient has to pass through D.",
        "6": "line 6 is right: zero, backward, step, for G only. It faithfully minimises what it is given.",
    }
    expect(text == "5", reasons.get(text, ""), "The fakes move, in the wrong direction. Which line says what G wants?")


def _losses(function: Any, real: list[float], fake: list[float]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What the answer returns for these logits, and the logits, which carry gradients."""
    real_logits, fake_logits = torch.tensor(real, requires_grad=True), torch.tensor(fake, requires_grad=True)
    result = attempt(function, real_logits, fake_logits)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two losses should be returned: D's and G's.", "return d_loss, g_loss")
    for name, loss in zip("DG", result, strict=True):
        expect(isinstance(loss, Tensor), f"{name}'s loss is not a tensor.", "Its gradient is needed: no .item().")
        expect(loss.ndim == 0, f"{name}'s loss has the shape {tuple(loss.shape)}; it should be one number.", ".mean()")
        problem = f"{name}'s loss is {loss.item()} at logits {real} and {fake}."
        expect(loss.isfinite(), problem, "Use softplus, not log(sigmoid).")
    return *result, real_logits, fake_logits


def _short(numbers: Tensor) -> str:
    return ", ".join(f"{number:.4f}" for number in numbers.tolist())


def _close(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a.double(), b.double(), atol=1e-4)


def _normal(x: Tensor, mean: float) -> Tensor:
    return torch.exp(-0.5 * (x - mean) ** 2) / math.sqrt(2 * math.pi)


def _value(p: Tensor, q: Tensor, dx: float, swap: bool = False) -> float:
    best = q / (p + q) if swap else p / (p + q)
    return ((torch.xlogy(p, best) + torch.xlogy(q, 1 - best)).sum() * dx).item()
