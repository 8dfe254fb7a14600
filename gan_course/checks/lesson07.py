"""Checks for the exercises of lesson 07."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course.checks.framework import attempt, check, expect, expect_tensor
from gan_course.networks import Codes, Judgement

LOG_10, LOG_2PI = math.log(10), math.log(2 * math.pi)


@check
def most_nats(guess: Any) -> None:
    """What an image can tell at most about one of ten equally likely categories: log 10."""
    number = isinstance(guess, int | float) and not isinstance(guess, bool)
    expect(number, f"the guess should be a number, but is {guess!r}.", "Write for example `guess = 1.5`.")
    hint = "Before you see the image, each category has the chance 1/10. How surprised are you by one, in nats?"
    expect(abs(guess - math.log2(10)) > 0.01, "3.32 is the answer in bits. A nat takes the natural logarithm.", hint)
    expect(abs(guess - 1) > 0.01, "1 is that answer to base 10: one decimal digit. A nat takes base e.", hint)
    expect(guess != 10, "10 is the number of categories, not the information in one of them.", hint)
    expect(guess > 0, "information about a code is never below 0, and an image can tell something.", hint)
    expect(math.isfinite(guess), "one of ten things is soon told; nothing infinite is needed.", hint)
    expect(guess < LOG_10 + 0.01, f"{guess:g} nats are more than the code holds itself.", hint)
    expect(abs(guess - LOG_10) < 0.01, f"it is not {guess:g}: a perfect image tells all that the code holds.", hint)


@check
def codes_of(function: Any) -> None:
    """A normal z of 74 numbers to noise, one-hot category and uniform codes."""
    z = torch.randn(6000, 74)
    parts = attempt(function, z.clone())
    three = isinstance(parts, tuple | list) and len(parts) == 3
    expect(three, "three tensors should be returned.", "return noise, one_hot, continuous")
    for part, width, what in zip(parts, (62, 10, 2), ("noise", "one_hot", "continuous"), strict=True):
        expect_tensor(part, (6000, width), what)
    noise, one_hot, continuous = (part.double() for part in parts)
    order = "The first 62 numbers are the noise, the next 10 choose the category, the last 2 are the continuous codes."
    expect(_close(noise, z[:, :62]), "the noise should be the first 62 numbers of z as they are.", order)
    _expect_one_hot(one_hot, z[:, 62:72].double(), order)
    last = z[:, 72:].double()
    uniform = "P(normal < z) is uniform on [0, 1]; twice that, less 1, is torch.erf(z / 2 ** 0.5)."
    half = (torch.erf(last / math.sqrt(2)) + 1) / 2
    mistakes = [
        (last, "the continuous codes are still normal: nothing makes them uniform."),
        (half, "the continuous codes lie in [0, 1], not in [-1, 1]."),
        (last.tanh(), "tanh brings them into [-1, 1], but does not make them uniform: too many lie near 0."),
        (last.clamp(-1, 1), "clamping piles a third of the codes up at -1 and 1."),
        (torch.erf(last), "the root of 2 is missing: erf is about a normal of variance 1/2."),
    ]
    for mistake, problem in mistakes:
        expect(not _close(continuous, mistake), problem, uniform)
    expect(continuous.abs().max() <= 1, "the continuous codes leave [-1, 1].", uniform)
    levels = torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9], dtype=torch.float64)
    off = (continuous.quantile(levels, dim=0) - (2 * levels - 1)[:, None]).abs().max()
    expect(off < 0.06, "the continuous codes are not uniform on [-1, 1].", uniform)
    ranks = [torch.argsort(torch.argsort(v[:, 0])) for v in (continuous, last)]
    agree = torch.stack(ranks).double().corrcoef()[0, 1].abs()
    expect(agree > 0.99, "the continuous codes do not follow the last two numbers of z.", order)


def _expect_one_hot(one_hot: Tensor, scores: Tensor, order: str) -> None:
    hint = "F.one_hot(scores.argmax(1), 10), as floats. The ten scores are alike, so each category is as likely."
    soft = "a softmax is no choice: G would see a mixture of categories, and never just one."
    expect(not _close(one_hot, scores.softmax(1)), soft, hint)
    expect(not _close(one_hot, scores), "the ten numbers are passed on as they are; no category is chosen.", hint)
    binary = ((one_hot == 0) | (one_hot == 1)).all() and (one_hot.sum(1) == 1).all()
    expect(binary, "each row of one_hot should hold a single 1 and nine zeros.", hint)
    shares = one_hot.mean(0)
    expect((shares - 0.1).abs().max() < 0.02, "the ten categories are not equally likely.", hint)
    best, worst = (F.one_hot(found, 10).double() for found in (scores.argmax(1), scores.argmin(1)))
    same = _close(one_hot, best) or _close(one_hot, worst)
    expect(same, "the category does not follow from the ten numbers of its own z.", order)


@check
def categorical_bound(function: Any) -> None:
    """log K + E log Q(c | x): its value, its range and its gradient."""
    rng = torch.Generator().manual_seed(4)
    for classes, n in ((10, 6), (3, 8)):
        logits, category = torch.randn(n, classes, generator=rng), torch.arange(n) % classes
        logits.requires_grad_(True)
        value = attempt(function, logits, category)
        expect_tensor(value, (), "the bound")
        loss = F.cross_entropy(logits, category).item()
        twice = F.cross_entropy(logits.softmax(1), category).item()
        k, found = math.log(classes), value.item()
        hint = "log K less the cross-entropy, K the number of columns. F.cross_entropy takes logits."
        mistakes = [
            (k - twice, "softmax was taken before a cross-entropy, which takes it again."),
            (loss, "this is the cross-entropy, which is to fall. The bound is to rise."),
            (-loss, "H(c) = log K is missing, so that a Q that only guesses would not get 0."),
            (loss - k, "the sign is turned."),
            (k - n * loss, "the cross-entropy is summed over the samples; E is a mean."),
            (1 - loss / math.log(2), "one logarithm or both are to base 2."),
            (math.log2(classes) - loss / math.log(2), "this is in bits; the natural logarithm gives nats."),
            (k + loss, "the cross-entropy is added. It is what Q lacks, so it is taken away."),
            (k - loss / classes, "divided by the number of classes: the mean is over samples only."),
        ]
        if classes == 3:
            mistakes.append((LOG_10 - loss, "log 10 is right for ten categories only; here there are three."))
        for mistake, problem in mistakes:
            expect(abs(found - mistake) > 1e-4 or abs(mistake - (k - loss)) < 1e-4, problem, hint)
        expect(abs(found - (k - loss)) < 1e-4, f"the bound should be {k - loss:.4f} here, but is {found:.4f}.", hint)
        _expect_gradient(value, logits, (F.one_hot(category, classes) - logits.softmax(1)) / n, "the logits")
    sure = attempt(function, 300 * torch.eye(10).roll(1, 0), torch.arange(10))
    ok = sure.isfinite() and abs(sure.item() - (LOG_10 - 300)) < 0.1
    expect(ok, f"for a Q that is sure and wrong it is {sure.item():g}, not {LOG_10 - 300:.1f}.", "No log of a softmax.")


@check
def gaussian_bound(function: Any) -> None:
    """log 2 + E log N(c; mean, std), summed over the codes."""
    rng = torch.Generator().manual_seed(5)
    mean, log_std = torch.randn(2, 5, 3, generator=rng)
    code = 2 * torch.rand(5, 3, generator=rng) - 1
    mean.requires_grad_(True), log_std.requires_grad_(True)
    value = attempt(function, mean, log_std, code)
    expect_tensor(value, (), "the bound")
    squared, std = ((code - mean) / log_std.exp()).square(), log_std.exp()
    right = math.log(2) - squared / 2 - log_std - LOG_2PI / 2  # (5, 3)
    error = (code - mean).square()
    hint = (
        "log N(c; m, s) = -(c - m)^2 / (2 s^2) - log s - log(2 pi) / 2. Add log 2, sum over codes, mean over samples."
    )
    with_variance = math.log(2) - error / std / 2 - log_std / 2 - LOG_2PI / 2
    mistakes = [
        (right - math.log(2), "H(c) = log 2 for each code is missing."),
        (-right, "the sign is turned: the bound is to rise."),
        (right + log_std, "the term - log s is missing, so Q would claim an enormous std for nothing."),
        (math.log(2) - error / 2 - LOG_2PI / 2, "log_std is not used."),
        (-error, "this is a squared error only. Where does Q say how sure it is?"),
        (right + LOG_2PI / 2, "log(2 pi) / 2 is missing: without it this is no density, and no bound."),
        (with_variance, "log_std is taken for the logarithm of the variance."),
        (right - squared / 2, "the factor 1/2 of the square is missing."),
        (right + 2 * log_std, "log s has the wrong sign."),
    ]
    found = value.item()
    for mistake, problem in mistakes:
        for reduced in (mistake.sum(1).mean(), mistake.mean()):
            expect(abs(found - reduced.item()) > 1e-4, problem, hint)
    expect(abs(found - right.mean().item()) > 1e-4, "averaged over the codes: what they tell adds up.", hint)
    expect(abs(found - right.sum().item()) > 1e-4, "summed over the samples too; E is a mean.", hint)
    entropy = right.sum(1).mean().item() - 2 * math.log(2)
    expect(abs(found - entropy) > 1e-4, "log 2 was added once; every code has an entropy of its own.", hint)
    wanted = right.sum(1).mean().item()
    expect(abs(found - wanted) < 1e-4, f"the bound should be {wanted:.4f} here, but is {found:.4f}.", hint)
    _expect_gradient(value, mean, (code - mean) / std.square() / 5, "the mean")
    _expect_gradient(value, log_std, (squared - 1) / 5, "log_std")


@check
def both_losses(function: Any) -> None:
    """D's and G's losses with lambda times the bound taken off both, and the bound of the fakes only."""
    rng = torch.Generator().manual_seed(6)
    tensors = [torch.randn(8, width, generator=rng).requires_grad_(True) for width in (1, 10, 2, 1, 10, 2)]
    real, fake = (
        Judgement(part[0].squeeze(1), part[1], part[2], torch.zeros_like(part[2]))
        for part in (tensors[:3], tensors[3:])
    )
    codes = Codes(torch.randn(8, 62), torch.arange(8), 2 * torch.rand(8, 2, generator=rng) - 1)
    result = attempt(function, real, fake, codes, 0.5)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two losses should be returned, D's and G's.", "return d_loss, g_loss")
    for name, loss in zip("DG", result, strict=True):
        expect_tensor(loss, (), f"{name}'s loss")
    bound, on_real = _bound(fake, codes), _bound(real, codes)
    game = {
        "D": (F.softplus(-real.logits).mean() + F.softplus(fake.logits).mean()).item(),
        "G": F.softplus(-fake.logits).mean().item(),
    }
    hint = "Each player's loss as ever, less lambda times the bound: d_loss - weight * bound, g_loss - weight * bound."
    for name, loss in zip("DG", result, strict=True):
        other = "Q is trained in D's step" if name == "D" else "G has to write the codes into its images"
        mistakes = [
            (0.0, f"the bound is missing from {name}'s loss: {other}."),
            (0.5 * bound, f"{name} would push the bound down: it is added, and both players minimise."),
            (-bound, f"lambda is not used in {name}'s loss."),
            (-0.5 * on_real, f"the bound in {name}'s loss is of the real images, whose codes nobody knows."),
            (-0.5 * (bound + on_real), f"{name}'s loss holds the bound of the real images too; they have no codes."),
            (-0.5 * _categorical(fake, codes), f"{name}'s loss leaves out the continuous codes."),
            (-0.5 * (bound - _categorical(fake, codes)), f"{name}'s loss leaves out the categorical code."),
        ]
        for change, problem in mistakes:
            expect(abs(loss.item() - game[name] - torch.as_tensor(change).item()) > 1e-4, problem, hint)
        wanted = game[name] - 0.5 * bound.item()
        close = abs(loss.item() - wanted) < 1e-4
        expect(close, f"{name}'s loss should be {wanted:.4f} here, but is {loss.item():.4f}.", hint)
        slopes = torch.autograd.grad(-0.5 * bound, (fake.category_logits, fake.mean), retain_graph=True)
        for place, slope, what in zip(
            (fake.category_logits, fake.mean), slopes, ("category_logits", "mean"), strict=True
        ):
            _expect_gradient(loss, place, slope, f"the fakes' {what} in {name}'s loss")


@check
def matched_share(function: Any) -> None:
    """The best one-to-one naming of codes by classes."""
    hint = "Count a table (codes, classes), then linear_sum_assignment(table, maximize=True), and sum what it chose."
    labels = torch.tensor([2, 2, 2, 2, 1, 1, 0, 0])
    crowded = torch.tensor([0, 0, 1, 1, 2, 2, 2, 2])
    renamed = torch.tensor([7, 3, 1, 0, 2, 9, 8, 4, 6, 5])
    digits = torch.arange(40) % 10
    share = _number(attempt(function, renamed[digits], digits))
    expect(share != 40, "a share lies between 0 and 1; this counts samples.", "Divide by how many samples there are.")
    expect(share > 1e-9, "codes that are digits under other names get 0: the numbers were compared as they are.", hint)
    expect(abs(share - 1) < 1e-6, f"codes that are digits under other names should get 1, but get {share:.3f}.", hint)
    share = _number(attempt(function, crowded, labels))
    kind = "a class was given to two codes, or a code to two classes, as in a majority. The naming is one to one."
    expect(abs(share - 6 / 8) > 1e-6, kind, hint)
    expect(
        abs(share - 4 / 8) < 1e-6, f"for a split class and a crowded code it should be 0.5, but is {share:.3f}.", hint
    )
    rng = torch.Generator().manual_seed(8)
    codes, labels = torch.randint(10, (2, 500), generator=rng)
    wanted, greedy = _best_share(codes, labels)
    share = _number(attempt(function, codes, labels))
    expect(
        abs(share - greedy) > 1e-6 or abs(greedy - wanted) < 1e-6,
        f"the largest counts were taken one after the other: {share:.3f}. Another naming reaches {wanted:.3f}.",
        hint,
    )
    expect(abs(share - wanted) < 1e-6, f"for random codes it should be {wanted:.3f}, but is {share:.3f}.", hint)


def _best_share(codes: Tensor, labels: Tensor) -> tuple[float, float]:
    """By the Hungarian method, and by taking the largest count again and again."""
    from gan_course.metrics import purity

    found = purity(codes, labels)
    table, taken = found.table.clone(), 0
    for _ in range(10):
        place = int(table.argmax())
        taken += int(table.flatten()[place])
        table[place // 10], table[:, place % 10] = -1, -1
    return found.matched, taken / len(codes)


def _categorical(judged: Judgement, codes: Codes) -> Tensor:
    return LOG_10 - F.cross_entropy(judged.category_logits, codes.category)


def _bound(judged: Judgement, codes: Codes) -> Tensor:
    error = (codes.continuous - judged.mean).square()
    return _categorical(judged, codes) + (math.log(2) - error / 2 - LOG_2PI / 2).sum(1).mean()


def _expect_gradient(value: Tensor, place: Tensor, wanted: Tensor, what: str) -> None:
    """The gradient of the value reaches `place`, and is `wanted`."""
    hint = "No .item(), .detach(), no_grad or torch.tensor(...) on the way."
    slope = None
    if value.requires_grad:
        slope = torch.autograd.grad(value, place, retain_graph=True, allow_unused=True)[0]
    expect(slope is not None, f"the value is right, but no gradient reaches {what}: nothing would be learned.", hint)
    expect(_close(slope, wanted), f"the value is right, but the gradient at {what} is not.", hint)


def _number(value: Any) -> float:
    number = isinstance(value, int | float) or (isinstance(value, Tensor) and value.ndim == 0)
    number = number or type(value).__module__ == "numpy"
    expect(number and not isinstance(value, bool), f"the share should be one number, but is {value!r}.", "One number.")
    return float(value)


def _close(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a.detach().double(), b.detach().double(), atol=1e-4)
