"""Checks for the exercises of lesson 10."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gan_course import metrics
from gan_course.checks.framework import attempt, check, expect, expect_number
from gan_course.checks.mistakes import name_mistakes, number

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


INCEPTION = "Entropy of the mean minus mean of the entropies; then exp."


@check
def inception_score(function: Any) -> None:
    """exp(H(mean) - mean of H), with 0 log 0 = 0."""
    torch.default_generator.manual_seed(1)
    probs = (2 * torch.randn(40, 5, dtype=torch.float64)).softmax(1)
    mean = probs.mean(0)
    within, between = (-torch.special.xlogy(p, p).sum(-1).mean() for p in (probs, mean))
    kl = torch.special.xlogy(probs, probs / mean).sum(1)  # (N,)
    reverse = torch.special.xlogy(mean, mean / probs).sum(1).mean()
    found, wanted = number(function, probs), float((between - within).exp())
    mistakes = [
        (math.log(wanted), "the exponential is missing.", "exp of the mean of KL, last."),
        (within.exp(), "that is exp of the mean entropy: only half of it.", INCEPTION),
        (between.exp(), "that is exp of the entropy of the mean: only half of it.", INCEPTION),
        (5 / within.exp(), "that compares with equal shares of all classes, not with the mean p(y).", INCEPTION),
        (1 / wanted, "the sign is turned: samples that are sure should raise the score.", INCEPTION),
        (reverse.exp(), "the two sides of KL are swapped.", "KL(p(y|x) || p(y)): each sample's own first."),
        (2 ** math.log(wanted), "exp goes with the natural logarithm.", INCEPTION),
        (kl.exp().mean(), "the exponential comes before the mean.", "exp of the mean."),
        (kl.sum().exp(), "that is a sum over samples.", "The mean."),
        ((kl.mean() / 5).exp(), "KL is a sum over classes, not a mean.", ".sum(1)"),
    ]
    name_mistakes(found, wanted, [(float(value), *words) for value, *words in mistakes])
    expect(abs(found - wanted) < 1e-5, f"for these the score is {wanted:.4f}, and you say {found:.4f}.", INCEPTION)
    try:
        sure = float(function(torch.eye(4, dtype=torch.float64)))
    except Exception:
        sure = math.nan
    problem = f"four samples, each surely of another class, have the score 4, and you say {sure:g}."
    zero = "0 log 0 is 0: torch.special.xlogy, or a logarithm of max(p, something tiny)."
    expect(abs(sure - 4) < 1e-3, problem, zero)


FRECHET = "||m1 - m2||^2 + tr S1 + tr S2 - 2 tr (R S2 R)^(1/2), R being the root of S1"
ROOT = "The roots of the eigenvalues of R S2 R, summed, R being the root of S1 by torch.linalg.eigh."


@check
def frechet_distance(function: Any) -> None:
    """||m1 - m2||^2 + tr(S1 + S2 - 2 (R S2 R)^(1/2)), R being the root of S1; covariances over N - 1."""
    torch.default_generator.manual_seed(2)
    mix = torch.randn(2, 3, 3, dtype=torch.float64)
    real, fake = torch.randn(24, 3, dtype=torch.float64) @ mix[0], 1 + torch.randn(30, 3, dtype=torch.float64) @ mix[1]
    found, wanted = number(function, real, fake), metrics.frechet_distance(real, fake)
    shift = float((real.mean(0) - fake.mean(0)).square().sum())
    s1, s2 = torch.cov(real.T), torch.cov(fake.T)
    traces = float(s1.trace() + s2.trace())
    cross = (traces - (wanted - shift)) / 2
    by_parts = {  # what stands in the place of the last trace
        "the features were treated one by one: what is off the diagonal of the covariances counts, too.": (
            (s1 * s2).diagonal().sqrt().sum()
        ),
        "the root was taken entry by entry. The root of a matrix is another thing.": (
            (s1 @ s2).clamp_min(0).sqrt().trace()
        ),
        "eigvalsh is for symmetric matrices, and S1 S2 is none.": (
            torch.linalg.eigvalsh(s1 @ s2).clamp_min(0).sqrt().sum()
        ),
        "the product of two roots is not the root of the product.": (_root(s1) @ _root(s2)).trace(),
    }
    not_centred = "the covariances are not centred: subtract each set's mean first."
    mistakes = [
        (shift, "the covariances are missing.", FRECHET),
        (wanted - shift, "the means are missing.", "||m1 - m2||^2"),
        (shift + traces, "the last term is missing: that of the root.", "- 2 * the trace of the root"),
        (shift + traces - cross, "the last trace counts twice.", "- 2 * ..."),
        (shift + traces + 2 * cross, "the last term has the wrong sign.", "- 2 * ..."),
        (wanted - shift + shift**0.5, "the distance of the means should be squared.", "(m1 - m2)^2, summed"),
        (wanted**0.5, "the root of the whole was taken; here it stays squared.", "No last root."),
        (_from(shift, real, fake, 0), "the covariances are over N; here they are over N - 1.", "torch.cov does that."),
        *((_from(shift, real, fake, less, centre=False), not_centred, "x - x.mean(0)") for less in (0, 1)),
        *((shift + traces - 2 * float(last), problem, ROOT) for problem, last in by_parts.items()),
        (shift + float((s1 - s2).square().sum()), "those are squared differences of covariances.", FRECHET),
    ]
    name_mistakes(found, wanted, mistakes)
    right = abs(found - wanted) < 1e-5 * max(1, wanted)
    expect(right, f"for these the distance is {wanted:.4f}, and you say {found:.4f}.", FRECHET)
    few = real[:2]  # the covariance is singular
    try:
        off = abs(float(function(few, fake)) - metrics.frechet_distance(few, fake))
    except Exception:
        off = math.nan
    problem = "with fewer samples than dimensions, where a covariance is singular, the result is wrong."
    expect(off < 1e-5, problem, "Rounding makes some eigenvalues a little negative: .clamp_min(0) before the root.")


def _root(s: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(s)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


def _from(shift: float, real: Tensor, fake: Tensor, less: int, centre: bool = True) -> float:
    """The distance with covariances over N - less, about the mean or about 0."""
    a, b = ((x - x.mean(0) if centre else x) / (len(x) - less) ** 0.5 for x in (real, fake))
    return shift + float(a.square().sum() + b.square().sum() - 2 * torch.linalg.svdvals(a @ b.T).sum())


DIAGONAL = "(table.sum() - table.trace()) / (N (N - 1)) for each set with itself."


@check
def kernel_distance(function: Any) -> None:
    """Squared MMD with the cubic kernel; no sample meets itself."""
    torch.default_generator.manual_seed(3)
    real, fake = torch.randn(9, 4, dtype=torch.float64), 0.5 + torch.randn(12, 4, dtype=torch.float64)
    found, wanted = number(function, real, fake), metrics.kernel_distance(real, fake)

    def mmd(within=lambda t, n: (t.sum() - t.trace()) / (n * (n - 1)), twice=2, power=3, one=1, over=lambda x: 4):
        table = lambda x, y: (x @ y.T / over(x) + one) ** power  # noqa: E731
        own = sum(within(table(x, x), len(x)) for x in (real, fake))
        return float(own - twice * table(real, fake).mean())

    triangle = "half of the pairs were summed and divided by all of them."
    mistakes = [
        (mmd(lambda t, n: t.mean()), "each sample meets itself, which adds a bias.", DIAGONAL),
        (mmd(lambda t, n: (t.sum() - t.trace()) / n**2), "the diagonal is gone, its pairs still counted.", DIAGONAL),
        (mmd(lambda t, n: t.sum() / (n * (n - 1))), "the diagonal is in the sum, but its pairs not counted.", DIAGONAL),
        (mmd(lambda t, n: t.triu(1).sum() / (n * (n - 1))), triangle, "triu: times 2. Or: " + DIAGONAL),
        (mmd(twice=0), "the mixed term is missing.", "- 2 * mean of k(real, fake)"),
        (mmd(twice=1), "the mixed term counts twice.", "- 2 * mean of k(real, fake)"),
        (mmd(twice=-2), "the mixed term has the wrong sign.", "- 2 * mean of k(real, fake)"),
        (mmd(over=lambda x: 1), "the product is not divided by D.", "x . y / D + 1"),
        (mmd(over=len), "the product is divided by the number of samples.", "By D: x.shape[1]."),
        (mmd(one=0), "the + 1 in the kernel is missing.", "x . y / D + 1"),
        (mmd(power=2), "the kernel is to the power of 2.", "Cubic."),
        (mmd(over=lambda x: 2), "the product is divided by the root of D.", "By D."),
        (abs(wanted) ** 0.5, "the root was taken; here it stays squared.", "No root."),
    ]
    name_mistakes(found, wanted, mistakes)
    right = abs(found - wanted) < 1e-5 * max(1, abs(wanted))
    expect(right, f"for these the distance is {wanted:.4f}, and you say {found:.4f}.", DIAGONAL)
    pairs = torch.randn(10, 2, 40, 4, dtype=torch.float64)  # one distribution: about half are below 0
    lowest = min(pairs, key=lambda pair: metrics.kernel_distance(*pair))
    below, wanted = number(function, *lowest), metrics.kernel_distance(*lowest)
    expect(abs(below - wanted) < 1e-5, f"a value below 0 was cut off: {below:g} for {wanted:.4f}.", "No clamp, no abs.")


SELF = "Sorted, the nearest distance of all is 0. The k-th neighbour is at place k + 1: kthvalue(k + 1)."
BALLS = "Precision: fakes in balls around reals, which reach to the k-th real. Recall: the same, swapped."
ANY = "Is there any ball that holds it? So .any over the balls, then the mean over the points."


@check
def precision_recall(function: Any) -> None:
    """Shares inside the balls to the k-th nearest neighbour, the point itself not counted."""
    torch.default_generator.manual_seed(4)
    for k in (3, 1):
        real, fake = torch.randn(40, 2, dtype=torch.float64), 0.7 * torch.randn(55, 2, dtype=torch.float64) + 0.8
        result = attempt(function, real, fake, k)
        pair = isinstance(result, tuple | list) and len(result) == 2
        expect(pair, "two numbers should be returned: precision and recall.", "return precision, recall")
        found = [expect_number(value, "each of the two", "For example .mean().item()") for value in result]
        wanted, package = _shares(real, fake, k), metrics.prdc(real, fake, k)
        counts = [wanted[0] * len(fake), wanted[1] * len(real)]
        for mistake, problem, hint in (
            (wanted[::-1], "precision and recall are swapped.", "Precision: a share of fakes. Recall: of reals."),
            (_shares(real, fake, k - 1), "the point itself was taken for a neighbour: its distance is 0.", SELF),
            (_shares(real, fake, k, "of the other"), "the balls have the radii of the other set.", BALLS),
            (_shares(real, fake, k, "across"), "the radii go to neighbours in the *other* set.", BALLS),
            (_shares(real, fake, k, "all"), "a point should lie in at least one ball, not in all.", ".any"),
            (_shares(real, fake, k, "pairs"), "that is the mean over all pairs of ball and point.", ".any, then .mean"),
            (_shares(real, fake, k, "balls"), "those are shares of balls with a point in them, not of points.", ANY),
            (counts, "those are counts.", "Shares: .double().mean()"),
        ):
            same = all(abs(a - b) < 1e-6 for a, b in zip(found, mistake, strict=True))
            expect(not same or list(mistake) == list(wanted), problem, hint)
        density = abs(found[0] - package.density) < 1e-6 < abs(found[0] - wanted[0])
        expect(not density, "the first is density, which counts balls; precision asks for at least one.", ANY)
        coverage = abs(found[1] - package.coverage) < 1e-6 < abs(found[1] - wanted[1])
        expect(not coverage, "the second is coverage, a share of *real* balls; recall has balls around fakes.", BALLS)
        for name, value, right in zip(("precision", "recall"), found, wanted, strict=True):
            expect(abs(value - right) < 1e-6, f"the {name} is {right:.3f}, and you say {value:.3f} (k = {k}).", BALLS)


def _shares(real: Tensor, fake: Tensor, k: int, wrong: str = "") -> list[float]:
    """Precision and recall, with one thing wrong."""
    if k == 0:  # the ball of a point that is its own neighbour is empty
        return [0.0, 0.0]
    result = []
    for points, around in ((fake, real), (real, fake)):
        apart = torch.cdist(points, around)  # (points, balls)
        source = points if wrong == "of the other" else around
        radii = torch.cdist(source, source).kthvalue(k + 1).values
        radii = apart.kthvalue(k, dim=0).values if wrong == "across" else radii
        inside = apart < (radii[:, None] if wrong == "of the other" else radii)
        over = {"all": lambda x: x.all(1), "pairs": lambda x: x, "balls": lambda x: x.any(0)}
        result.append(float(over.get(wrong, lambda x: x.any(1))(inside).double().mean()))
    return result


CLOSER = "Distance of each sample to its nearest training image, and of each held-out image; then compare all pairs."
EACH = "a[:, None] < b is (N, K): each sample with each held-out image."


@check
def closer_to_training(function: Any) -> None:
    """The share of pairs in which the sample has the smaller distance to its nearest training image."""
    torch.default_generator.manual_seed(40)  # for which no two of the mistakes below give the same share
    training, held_out = torch.randn(30, 3, dtype=torch.float64), torch.randn(20, 3, dtype=torch.float64)
    samples = torch.cat([training[:6] + 0.05, 1.5 * torch.randn(9, 3, dtype=torch.float64)])
    found = number(function, samples, training, held_out)
    a, b = (torch.cdist(x, training) for x in (samples, held_out))
    near_a, near_b, to_held = a.min(1).values, b.min(1).values, torch.cdist(samples, held_out).min(1).values
    wanted = _closer(near_a, near_b)
    crossed = "the sample's distances to two sets were compared; the held-out images have distances of their own."
    mistakes = [
        (1 - wanted, "that is the share in which the sample is the *farther* one.", CLOSER),
        (_closer(a.mean(1), b.mean(1)), "a mean over the training images; the nearest was asked for.", CLOSER),
        (_closer(a.max(1).values, b.max(1).values), "that goes by the farthest training image.", ".min(1)"),
        (_closer(a.min(0).values, b.min(0).values), "that is the nearest sample of each training image.", CLOSER),
        (
            _closer(near_a, torch.cdist(held_out, samples).min(1).values),
            "held-out images were compared with the samples.",
            CLOSER,
        ),
        (float((near_a < to_held).double().mean()), crossed, CLOSER),
        (_closer(near_a, to_held), crossed, CLOSER),
        (float((near_a < near_b[: len(near_a)]).double().mean()), "each sample met one held-out image only.", EACH),
        (float((near_a < near_b.mean()).double().mean()), "each pair is compared, not with a mean.", EACH),
        (float((near_a < near_b.median()).double().mean()), "each pair is compared, not with a median.", EACH),
        (float(near_a.mean() / near_b.mean()), "that is a ratio of distances.", "How often is one the smaller?"),
        (wanted * len(near_a) * len(near_b), "that is a count of pairs.", "A share: .mean()"),
    ]
    name_mistakes(found, wanted, mistakes)
    expect(abs(found - wanted) < 1e-6, f"the share is {wanted:.3f}, and you say {found:.3f}.", CLOSER)
    line = torch.arange(4.0, dtype=torch.float64)[:, None]  # copies, and held-out images that are copies, too
    tied = number(function, line, line, line)
    expect(
        abs(tied - 0.5) < 1e-6, f"where all distances are the same it is 0.5: you say {tied:g}.", "Half of each tie."
    )


def _closer(a: Tensor, b: Tensor) -> float:
    return float((a[:, None] < b).double().mean() + (a[:, None] == b).double().mean() / 2)
