"""Checks for the exercises of lesson 10."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gan_course import metrics
from gan_course.checks.framework import attempt, check, expect, expect_number

ONLY_ONE = "nearest training image"
COMPARED = "it compares the samples with the test images only, and good copies look like those."
BLIND = {
    "fd": f"FD: {COMPARED} Copies have the mean and covariance of real digits.",
    "kd": f"KD: {COMPARED} Copies have the moments of real digits.",
    "precision": f"precision: {COMPARED} A copied digit lies among real ones.",
    "recall": f"recall: {COMPARED} It asks for variety, and the training set has all of it.",
    "density": f"density: {COMPARED} Copies lie where real digits are dense.",
    "coverage": f"coverage: {COMPARED} It asks for variety, and the training set has all of it.",
    "inception score": "Inception Score: it sees the samples alone, and copies are clear and of all classes.",
}
ALONE = "Which of them is ever shown the training set?"


@check
def who_notices(guess: Any) -> None:
    """Copies of the training set: only the number that is shown the training set can tell."""
    names = [guess] if isinstance(guess, str) else guess
    listed = isinstance(names, list | tuple | set | frozenset) and all(isinstance(name, str) for name in names)
    expect(listed, "the guess should be a list of names.", 'For example ["FD", "recall"].')
    names = [" ".join(name.lower().split()) for name in names]
    for name in names:
        expect(name in (*BLIND, ONLY_ONE), f"there is no {name!r} in the list.", "Copy the names from the text above.")
    expect(names, "something does notice.", ALONE)
    for name in names:
        expect(name == ONLY_ONE, BLIND.get(name, ""), ALONE)


def _number(function: Any, *arguments: Any) -> float:
    """What the learner's function returns, which must be one finite number."""
    value = expect_number(attempt(function, *arguments), "the result", "return one number, for example x.item()")
    expect(math.isfinite(value), "the result is not a finite number.", "Look for a division by 0, or log(0).")
    return value


def _name_mistakes(found: float, wanted: float, mistakes: list[tuple[float, str, str]], close: float = 1e-5) -> None:
    """Stop with the mistake whose value was returned; a mistake that happens to be right here says nothing."""
    for value, problem, hint in mistakes:
        told_apart = abs(value - wanted) > 4 * close * max(1, abs(wanted))
        expect(not (told_apart and abs(found - value) < close * max(1, abs(value))), problem, hint)


@check
def inception_score(function: Any) -> None:
    """exp(H(mean) - mean of H), with 0 log 0 = 0."""
    torch.manual_seed(1)
    probs = (2 * torch.randn(40, 5, dtype=torch.float64)).softmax(1)
    marginal = probs.mean(0)
    within, between = (-torch.special.xlogy(p, p).sum(-1).mean() for p in (probs, marginal))
    found, wanted = _number(function, probs), float((between - within).exp())
    reverse = torch.special.xlogy(marginal, marginal / probs).sum(1).mean()
    _name_mistakes(
        found,
        wanted,
        [
            (math.log(wanted), "the exponential is missing.", "exp of the mean of KL, last."),
            (float(within.exp()), "that is exp of the mean entropy: only half of it.", INCEPTION),
            (float(between.exp()), "that is exp of the entropy of the mean: only half of it.", INCEPTION),
            (1 / wanted, "the sign is turned: samples that are sure should raise the score.", INCEPTION),
            (float(reverse.exp()), "the two sides of KL are swapped.", "KL(p(y|x) || p(y)): each sample's own first."),
            (2 ** math.log(wanted), "exp goes with the natural logarithm.", INCEPTION),
            (float(_each_kl(probs).exp().mean()), "the exponential comes before the mean.", "exp of the mean."),
            (float(_each_kl(probs).sum().clamp_max(700).exp()), "that is a sum over samples.", "The mean."),
            (float((_each_kl(probs).mean() / 5).exp()), "KL is a sum over classes, not a mean.", ".sum(1)"),
        ],
    )
    expect(abs(found - wanted) < 1e-5, f"for these the score is {wanted:.4f}, and you say {found:.4f}.", INCEPTION)
    try:
        sure = float(function(torch.eye(4, dtype=torch.float64)))
    except Exception:
        sure = math.nan
    expect(
        abs(sure - 4) < 1e-3,
        f"four samples, each surely of another class, have the score 4, and you say {sure:g}.",
        "0 log 0 is 0: torch.special.xlogy, or a logarithm of max(p, something tiny).",
    )


INCEPTION = "Entropy of the mean minus mean of the entropies; then exp."


def _each_kl(probs: Tensor) -> Tensor:
    return torch.special.xlogy(probs, probs / probs.mean(0)).sum(1)


@check
def frechet_distance(function: Any) -> None:
    """||m1 - m2||^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), over N - 1."""
    torch.manual_seed(2)
    mix = torch.randn(2, 3, 3, dtype=torch.float64)
    real, fake = torch.randn(24, 3, dtype=torch.float64) @ mix[0], 1 + torch.randn(30, 3, dtype=torch.float64) @ mix[1]
    found, wanted = _number(function, real, fake), metrics.frechet_distance(real, fake)
    shift = float((real.mean(0) - fake.mean(0)).square().sum())
    s1, s2 = torch.cov(real.T), torch.cov(fake.T)
    traces, cross = float(s1.trace() + s2.trace()), (float(s1.trace() + s2.trace()) - (wanted - shift)) / 2
    biased = shift + _spread(real, fake)
    _name_mistakes(
        found,
        wanted,
        [
            (shift, "the covariances are missing.", FRECHET),
            (wanted - shift, "the means are missing.", "||m1 - m2||^2"),
            (shift + traces, "the last term is missing: that of the root.", "- 2 * the trace of the root"),
            (shift + traces - cross, "the last trace counts twice.", "- 2 * ..."),
            (shift + traces + 2 * cross, "the last term has the wrong sign.", "- 2 * ..."),
            (wanted - shift + shift**0.5, "the distance of the means should be squared.", "(m1 - m2)^2, summed"),
            (wanted**0.5, "the root of the whole was taken; here it stays squared.", "No last root."),
            (biased, "the covariances are over N; here they are over N - 1.", "torch.cov does that."),
            (
                shift + traces - 2 * float((s1 * s2).diagonal().clamp_min(0).sqrt().sum()),
                "the features were treated one by one: what is off the diagonal of the covariances counts, too.",
                ROOT,
            ),
            (
                shift + traces - 2 * float((s1 @ s2).clamp_min(0).sqrt().trace()),
                "the root was taken entry by entry. The root of a matrix is another thing.",
                ROOT,
            ),
            (
                shift + traces - 2 * float(torch.linalg.eigvalsh(s1 @ s2).clamp_min(0).sqrt().sum()),
                "eigvalsh is for symmetric matrices, and S1 S2 is none.",
                ROOT,
            ),
            (
                shift + float((s1 - s2).square().sum()),
                "that is the squared difference of the covariances, entry by entry.",
                FRECHET,
            ),
        ],
    )
    right = abs(found - wanted) < 1e-5 * max(1, wanted)
    expect(right, f"for these the distance is {wanted:.4f}, and you say {found:.4f}.", FRECHET)
    few = real[:2]  # the covariance is singular
    try:
        off = abs(float(function(few, fake)) - metrics.frechet_distance(few, fake))
    except Exception:
        off = math.nan
    expect(
        off < 1e-5,
        "with fewer samples than dimensions, where a covariance is singular, the result is wrong.",
        "Rounding makes some eigenvalues a little negative: .clamp_min(0) before the root.",
    )


FRECHET = "||m1 - m2||^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)"
ROOT = "The roots of the eigenvalues of R S2 R, summed, R being the root of S1 by torch.linalg.eigh."


def _spread(real: Tensor, fake: Tensor) -> float:
    """What the covariances add when they are taken over N."""
    centred = [(x - x.mean(0)) * (1 - 1 / len(x)) ** 0.5 for x in (real, fake)]
    return metrics.frechet_distance(*centred)


@check
def kernel_distance(function: Any) -> None:
    """Squared MMD with the cubic kernel; no sample meets itself."""
    torch.manual_seed(3)
    real, fake = torch.randn(9, 4, dtype=torch.float64), 0.5 + torch.randn(12, 4, dtype=torch.float64)
    found, wanted = _number(function, real, fake), metrics.kernel_distance(real, fake)

    def cubic(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / 4 + 1) ** 3

    def mmd(kernel: Callable = cubic, own: bool = False, pairs: Callable = lambda n: n * (n - 1), twice: float = 2):
        tables = [kernel(x, x) for x in (real, fake)]
        within = sum((t.sum() - (0 if own else t.trace())) / pairs(len(t)) for t in tables)
        return float(within - twice * kernel(real, fake).mean())

    _name_mistakes(
        found,
        wanted,
        [
            (mmd(own=True, pairs=lambda n: n * n), "each sample meets itself, which adds a bias.", DIAGONAL),
            (mmd(pairs=lambda n: n * n), "the diagonal is gone, but its pairs are still counted.", DIAGONAL),
            (mmd(own=True), "the diagonal is in the sum, though its pairs are not counted.", DIAGONAL),
            (mmd(twice=1), "the mixed term counts twice.", "- 2 * mean of k(real, fake)"),
            (mmd(twice=-2), "the mixed term has the wrong sign.", "- 2 * mean of k(real, fake)"),
            (mmd(lambda x, y: (x @ y.T + 1) ** 3), "the product is not divided by D.", "x . y / D + 1"),
            (mmd(lambda x, y: (x @ y.T / 4) ** 3), "the + 1 in the kernel is missing.", "x . y / D + 1"),
            (mmd(lambda x, y: (x @ y.T / 4 + 1) ** 2), "the kernel is to the power of 2.", "Cubic."),
            (mmd(lambda x, y: (x @ y.T / 2 + 1) ** 3), "the product is divided by the root of D.", "By D."),
            (abs(wanted) ** 0.5, "the root was taken; here it stays squared.", "No root."),
            (max(0.0, wanted), "a value below 0 was cut off.", "An unbiased estimate may be below 0."),
        ],
    )
    right = abs(found - wanted) < 1e-5 * max(1, abs(wanted))
    expect(right, f"for these the distance is {wanted:.4f}, and you say {found:.4f}.", DIAGONAL)
    alike = torch.randn(2, 40, 4, dtype=torch.float64)
    pairs = [(alike[i], torch.randn(40, 4, dtype=torch.float64)) for i in range(2)]
    pairs += [(x, torch.randn(40, 4, dtype=torch.float64)) for x in alike for _ in range(4)]
    lowest = min(pairs, key=lambda pair: metrics.kernel_distance(*pair))
    below, wanted = _number(function, *lowest), metrics.kernel_distance(*lowest)
    expect(abs(below - wanted) < 1e-5, f"a value below 0 was cut off: {below:g} for {wanted:.4f}.", "No clamp, no abs.")


DIAGONAL = "(table.sum() - table.trace()) / (N (N - 1)) for each set with itself."


@check
def precision_recall(function: Any) -> None:
    """Shares inside the balls to the k-th nearest neighbour, the point itself not counted."""
    torch.manual_seed(4)
    for k in (3, 1):
        real, fake = torch.randn(40, 2, dtype=torch.float64), 0.7 * torch.randn(55, 2, dtype=torch.float64) + 0.8
        result = attempt(function, real, fake, k)
        pair = isinstance(result, tuple | list) and len(result) == 2
        expect(pair, "two numbers should be returned: precision and recall.", "return precision, recall")
        found = [expect_number(value, "each of the two", "For example .mean().item()") for value in result]
        wanted = _pr(real, fake, k)
        for mistake, problem, hint in (
            (wanted[::-1], "precision and recall are swapped.", "Precision: a share of fakes. Recall: of reals."),
            (_pr(real, fake, k - 1), "the point itself was taken for a neighbour: its distance is 0.", SELF),
            (_pr(real, fake, k, of_other=True), "the balls have the radii of the other set.", BALLS),
            (_pr(real, fake, k, across=True), "the radii go to neighbours in the *other* set.", BALLS),
            (_pr(real, fake, k, every=True), "a point should lie in at least one ball, not in all.", ".any"),
            (
                _pr(real, fake, k, by_mean=True),
                "that is the mean over all pairs of ball and point.",
                ".any, then .mean",
            ),
            ([wanted[0] * len(fake), wanted[1] * len(real)], "those are counts.", "Shares: .double().mean()"),
        ):
            same = all(abs(a - b) < 1e-6 for a, b in zip(found, mistake, strict=True))
            expect(not same or list(mistake) == list(wanted), problem, hint)
        for name, value, right in zip(("precision", "recall"), found, wanted, strict=True):
            expect(abs(value - right) < 1e-6, f"the {name} is {right:.3f}, and you say {value:.3f} (k = {k}).", BALLS)


SELF = "Sorted, the nearest distance of all is 0. The k-th neighbour is at place k + 1: kthvalue(k + 1)."
BALLS = "Precision: fakes in balls around reals, which reach to the k-th real. Recall: the same, swapped."


def _pr(real, fake, k, of_other=False, across=False, every=False, by_mean=False) -> list[float]:
    """Precision and recall, with one thing changed."""

    def share(points: Tensor, around: Tensor) -> float:
        apart = torch.cdist(points, around)  # (points, balls)
        radii = apart.kthvalue(k, dim=0).values if across else torch.cdist(around, around).kthvalue(k + 1, dim=1).values
        if of_other:
            radii = torch.cdist(points, points).kthvalue(k + 1, dim=1).values[:, None]
        inside = apart < radii
        if by_mean:
            return float(inside.double().mean())
        return float((inside.all(1) if every else inside.any(1)).double().mean())

    if k == 0:  # the ball of a point that is its own neighbour is empty
        return [0.0, 0.0]
    return [share(fake, real), share(real, fake)]


@check
def closer_to_training(function: Any) -> None:
    """The share of pairs in which the sample has the smaller distance to its nearest training image."""
    torch.manual_seed(5)
    training, held_out = torch.randn(30, 3, dtype=torch.float64), torch.randn(20, 3, dtype=torch.float64)
    samples = torch.cat([training[:6] + 0.05, 1.5 * torch.randn(9, 3, dtype=torch.float64)])
    found = _number(function, samples, training, held_out)
    a, b = (torch.cdist(x, training) for x in (samples, held_out))
    near_a, near_b = a.min(1).values, b.min(1).values
    wanted = _closer(near_a, near_b)
    by_the_other = torch.cdist(held_out, samples).min(1).values
    _name_mistakes(
        found,
        wanted,
        [
            (1 - wanted, "that is the share in which the sample is the *farther* one.", CLOSER),
            (_closer(a.mean(1), b.mean(1)), "a mean over the training images; the nearest was asked for.", CLOSER),
            (_closer(a.max(1).values, b.max(1).values), "that goes by the farthest training image.", ".min(1)"),
            (_closer(a.min(0).values, b.min(0).values), "that is the nearest sample of each training image.", CLOSER),
            (_closer(near_a, by_the_other), "held-out images were compared with the samples.", CLOSER),
            (float((near_a < near_b.mean()).double().mean()), "each pair is compared, not with a mean.", EACH),
            (float((near_a < near_b.median()).double().mean()), "each pair is compared, not with a median.", EACH),
            (float(near_a.mean() / near_b.mean()), "that is a ratio of distances.", "How often is one the smaller?"),
            (wanted * len(near_a) * len(near_b), "that is a count of pairs.", "A share: .mean()"),
        ],
    )
    expect(abs(found - wanted) < 1e-6, f"the share is {wanted:.3f}, and you say {found:.3f}.", CLOSER)
    line = torch.arange(4.0, dtype=torch.float64)[:, None]  # copies, and held-out images that are copies, too
    tied = _number(function, line, line, line)
    expect(
        abs(tied - 0.5) < 1e-6,
        f"where all distances are the same it is 0.5, and you say {tied:g}.",
        "Half of each tie.",
    )


CLOSER = "Distance of each sample to its nearest training image, and of each held-out image; then compare all pairs."
EACH = "a[:, None] < b is (N, K): each sample with each held-out image."


def _closer(a: Tensor, b: Tensor) -> float:
    return float((a[:, None] < b).double().mean() + (a[:, None] == b).double().mean() / 2)
