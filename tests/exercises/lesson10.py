"""Answers to the exercises of lesson 10: other valid ones, and wrong ones of the kind learners write."""

import math
from statistics import mean

import torch

from gan_course import metrics

# Inception Score.


def score_by_entropies(probs):
    marginal = probs.mean(0)
    h = lambda p: -torch.where(p > 0, p * p.clamp_min(1e-300).log(), 0).sum(-1)  # noqa: E731
    return (h(marginal) - h(probs).mean()).exp()


def score_by_loops(probs):
    total, marginal = 0.0, probs.mean(0).tolist()
    for row in probs.tolist():
        total += sum(p * math.log(p / m) for p, m in zip(row, marginal, strict=True) if p > 0)
    return math.exp(total / len(probs))


def score(
    kl=lambda p, m: torch.special.xlogy(p, p) - torch.special.xlogy(p, m),
    over_classes=lambda x: x.sum(1),
    last=lambda x: x.mean().exp(),
):
    """The score, with one thing changed."""
    return lambda probs: last(over_classes(kl(probs, probs.mean(0))))


# Frechet distance.


def over_n_minus_1(x):
    return torch.cov(x.T)


def root_by_eigh(s):
    values, vectors = torch.linalg.eigh(s)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


def exact_cross(s1, s2):
    r = root_by_eigh(s1)
    return torch.linalg.eigvalsh(r @ s2 @ r).clamp_min(0).sqrt().sum()


def squared(shift):
    return shift.square().sum()


def frechet(
    covariance=over_n_minus_1, cross=exact_cross, shift=squared, whole=lambda m, s, c: m + s - 2 * c, last=lambda d: d
):
    """The distance, with one thing changed."""

    def function(real, fake):
        s1, s2 = covariance(real), covariance(fake)
        return last(whole(shift(real.mean(0) - fake.mean(0)), s1.trace() + s2.trace(), cross(s1, s2)))

    return function


def frechet_by_nuclear_norm(real, fake):
    a, b = ((x - x.mean(0)) / (len(x) - 1) ** 0.5 for x in (real, fake))
    cross = torch.linalg.svdvals(a @ b.T).sum()
    return squared(real.mean(0) - fake.mean(0)) + a.square().sum() + b.square().sum() - 2 * cross


def frechet_by_eigenvalues(real, fake):
    values = torch.linalg.eigvals(torch.cov(real.T) @ torch.cov(fake.T)).real.clamp_min(0)
    return frechet(cross=lambda s1, s2: values.sqrt().sum())(real, fake).item()


def not_centred(x, less=1):
    return x.T @ x / (len(x) - less)


def frechet_without_clamp(real, fake):
    def root(s):
        values, vectors = torch.linalg.eigh(s)
        return (vectors * values.sqrt()) @ vectors.T

    def cross(s1, s2):
        return torch.linalg.eigvalsh(root(s1) @ s2 @ root(s1)).sqrt().sum()

    return frechet(cross=cross)(real, fake)


# Kernel distance.


def cubic(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def without_diagonal(table):
    return (table.sum() - table.trace()) / (len(table) * (len(table) - 1))


def mmd(kernel=cubic, within=without_diagonal, mixed=-2, last=lambda d: d):
    """The distance, with one thing changed."""

    def function(x, y):
        return last(within(kernel(x, x)) + within(kernel(y, y)) + mixed * kernel(x, y).mean())

    return function


def half_of_the_pairs(table):
    return table.triu(1).sum() / (len(table) * (len(table) - 1))


def mmd_by_loops(x, y):
    def k(a, b):
        return (float(a @ b) / len(a) + 1) ** 3

    def own(points):
        values = [k(a, b) for i, a in enumerate(points) for j, b in enumerate(points) if i != j]
        return sum(values) / len(values)

    between = [k(a, b) for a in x for b in y]
    return own(x) + own(y) - 2 * sum(between) / len(between)


def mmd_by_mask(x, y):
    def own(points):
        off = ~torch.eye(len(points), dtype=torch.bool)
        return cubic(points, points)[off].mean()

    return own(x) + own(y) - 2 * cubic(x, y).mean()


# Precision and recall.


def to_kth(points, k):
    return torch.cdist(points, points).kthvalue(k + 1, dim=1).values


def shares(radii=to_kth, some=torch.any, last=lambda inside: inside.double().mean().item(), swap=False):
    """Precision and recall, with one thing changed."""

    def function(real, fake, k):
        apart = torch.cdist(real, fake)
        precision = last(some(apart < radii(real, k)[:, None], 0))
        recall = last(some(apart < radii(fake, k)[None], 1))
        return (recall, precision) if swap else (precision, recall)

    return function


def shares_by_sorting(real, fake, k):
    result = []
    for points, around in ((fake, real), (real, fake)):
        to_own = torch.stack([(around - point).norm(dim=1).sort().values[k] for point in around])
        hits = [bool(((around - point).norm(dim=1) < to_own).any()) for point in points]
        result.append(sum(hits) / len(hits))
    return result


def shares_by_package(real, fake, k):
    found = metrics.prdc(real, fake, k)
    return torch.tensor(found.precision), torch.tensor(found.recall)


def shares_with_radii_of_the_other(real, fake, k):
    apart = torch.cdist(real, fake)
    precision = (apart < to_kth(fake, k)[None]).any(0).double().mean()
    recall = (apart < to_kth(real, k)[:, None]).any(1).double().mean()
    return precision, recall


def shares_across(real, fake, k):
    apart = torch.cdist(real, fake)
    precision = (apart < apart.kthvalue(k, dim=1, keepdim=True).values).any(0).double().mean()
    recall = (apart < apart.kthvalue(k, dim=0, keepdim=True).values).any(1).double().mean()
    return precision, recall


def parts_of_prdc(first, second):
    return lambda real, fake, k: [getattr(metrics.prdc(real, fake, k), name) for name in (first, second)]


def shares_of_balls(real, fake, k):
    apart = torch.cdist(real, fake)
    precision = (apart < to_kth(real, k)[:, None]).any(1).double().mean()
    recall = (apart < to_kth(fake, k)[None]).any(0).double().mean()
    return precision, recall


def share_of_pairs(real, fake, k):
    apart = torch.cdist(real, fake)
    return [float((apart < r).double().mean()) for r in (to_kth(real, k)[:, None], to_kth(fake, k)[None])]


# Copies.


def near(points, training):
    return torch.cdist(points, training).min(1).values


def wins(a, b):
    return ((a[:, None] < b).double() + (a[:, None] == b).double() / 2).mean()


def copies(distance=near, compare=wins):
    """The share, with one thing changed."""
    return lambda samples, training, held_out: compare(distance(samples, training), distance(held_out, training))


def in_pairs(a, b):
    return mean(float(x < y) for x, y in zip(a, b, strict=False))


def copies_by_ranks(samples, training, held_out):
    a, b = near(samples, training), near(held_out, training)
    b = b.sort().values
    above = len(b) - torch.searchsorted(b, a, right=True)
    tied = torch.searchsorted(b, a, right=True) - torch.searchsorted(b, a)
    return float((above + tied / 2).double().mean() / len(b))


def copies_by_loops(samples, training, held_out):
    a, b = near(samples, training).tolist(), near(held_out, training).tolist()
    return sum((x < y) + 0.5 * (x == y) for x in a for y in b) / (len(a) * len(b))


VALID = {
    "who_notices": [["Nearest  training image"], ("nearest training image",), "nearest training image"],
    "inception_score": [score_by_entropies, score_by_loops, score(), lambda p: torch.tensor(score_by_loops(p))],
    "frechet_distance": [frechet(), frechet_by_nuclear_norm, frechet_by_eigenvalues],
    "kernel_distance": [mmd(), mmd_by_loops, mmd_by_mask],
    "precision_recall": [shares(), shares_by_sorting, shares_by_package],
    "closer_to_training": [copies(), copies_by_ranks, copies_by_loops],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "who_notices": [
        (["FD"], "mean and covariance of real digits"),
        (["nearest training image", "KD"], "moments of real digits"),
        (["precision"], "lies among real ones"),
        (["nearest training image", "recall"], "training set has all of it"),
        (["density"], "where real digits are dense"),
        (["coverage", "nearest training image"], "training set has all of it"),
        (["Inception Score"], "samples alone"),
        (["FID"], "no 'fid' in the list"),
        ([], "something does notice"),
        (3, "a list of names"),
    ],
    "inception_score": [
        (score(last=lambda kl: kl.mean()), "exponential is missing"),
        (score(last=lambda kl: (-kl.mean()).exp()), "sign is turned"),
        (score(last=lambda kl: kl.exp().mean()), "before the mean"),
        (score(last=lambda kl: kl.sum().exp()), "a sum over samples"),
        (score(over_classes=lambda x: x.mean(1)), "not a mean"),
        (score(kl=lambda p, m: m * (m / p).log()), "swapped"),
        (score(kl=lambda p, m: -torch.special.xlogy(p, p)), "mean entropy"),
        (lambda p: (-torch.special.xlogy(p.mean(0), p.mean(0)).sum()).exp(), "entropy of the mean"),
        (score(kl=lambda p, m: p * (p / m).log()), "0 log 0"),
        (score(last=lambda kl: 2 ** kl.mean()), "natural logarithm"),
        (score(kl=lambda p, m: torch.special.xlogy(p, p * p.shape[1])), "equal shares of all classes"),
        (score(last=lambda kl: kl.exp()), "should be a number"),
        (score(last=lambda kl: kl.mean().exp() - 1), "and you say"),
        (lambda p: score()(p.log()), "not a finite number"),
    ],
    "frechet_distance": [
        (frechet(whole=lambda m, s, c: m), "covariances are missing"),
        (frechet(whole=lambda m, s, c: s - 2 * c), "means are missing"),
        (frechet(whole=lambda m, s, c: m + s), "last term is missing"),
        (frechet(whole=lambda m, s, c: m + s - c), "counts twice"),
        (frechet(whole=lambda m, s, c: m + s + 2 * c), "wrong sign"),
        (frechet(shift=lambda m: m.norm()), "should be squared"),
        (frechet(last=torch.sqrt), "root of the whole"),
        (frechet(covariance=lambda x: torch.cov(x.T, correction=0)), "over N"),
        (frechet(cross=lambda s1, s2: (s1.diagonal() * s2.diagonal()).sqrt().sum()), "one by one"),
        (frechet(cross=lambda s1, s2: (s1 @ s2).clamp_min(0).sqrt().trace()), "entry by entry"),
        (frechet(cross=lambda s1, s2: torch.linalg.eigvalsh(s1 @ s2).clamp_min(0).sqrt().sum()), "S1 S2 is none"),
        (frechet_without_clamp, "is singular"),
        (lambda x, y: squared(x.mean(0) - y.mean(0)) + squared(torch.cov(x.T) - torch.cov(y.T)), "squared differences"),
        (frechet(cross=lambda s1, s2: (root_by_eigh(s1) @ root_by_eigh(s2)).trace()), "product of two roots"),
        (frechet(covariance=not_centred), "not centred"),
        (frechet(covariance=lambda x: not_centred(x, 0)), "not centred"),
        (frechet(covariance=torch.cov), "raised"),
        (frechet(last=lambda d: d + 1), "and you say"),
    ],
    "kernel_distance": [
        (mmd(within=torch.mean), "meets itself"),
        (mmd(within=lambda t: (t.sum() - t.trace()) / len(t) ** 2), "still counted"),
        (mmd(within=lambda t: t.sum() / (len(t) * (len(t) - 1))), "not counted"),
        (mmd(within=half_of_the_pairs), "half of the pairs"),
        (mmd(mixed=0), "mixed term is missing"),
        (mmd(mixed=-1), "counts twice"),
        (mmd(mixed=2), "wrong sign"),
        (mmd(lambda x, y: (x @ y.T + 1) ** 3), "not divided by D"),
        (mmd(lambda x, y: (x @ y.T / len(x) + 1) ** 3), "number of samples"),
        (mmd(lambda x, y: (x @ y.T / x.shape[1]) ** 3), "1 in the kernel"),
        (mmd(lambda x, y: (x @ y.T / x.shape[1] + 1) ** 2), "power of 2"),
        (mmd(lambda x, y: (x @ y.T / x.shape[1] ** 0.5 + 1) ** 3), "root of D"),
        (mmd(last=lambda d: d.abs().sqrt()), "root was taken"),
        (mmd(last=lambda d: d.clamp_min(0)), "below 0 was cut off"),
        (mmd(last=torch.abs), "below 0 was cut off"),
        (mmd(last=lambda d: d / 2), "and you say"),
        (lambda x, y: cubic(x, y), "should be a number"),
    ],
    "precision_recall": [
        (shares(swap=True), "swapped"),
        (shares(radii=lambda x, k: torch.cdist(x, x).kthvalue(k, dim=1).values), "taken for a neighbour"),
        (shares_with_radii_of_the_other, "radii of the other set"),
        (shares_across, r"neighbours in the \*other\*"),
        (shares(some=torch.all), "not in all"),
        (share_of_pairs, "mean over all pairs"),
        (shares_of_balls, "shares of balls"),
        (parts_of_prdc("density", "recall"), "first is density"),
        (parts_of_prdc("precision", "coverage"), "second is coverage"),
        (shares(last=lambda inside: inside.sum().item()), "counts"),
        (lambda real, fake, k: shares()(real, fake, k)[0], "two numbers"),
        (lambda real, fake, k: shares()(real, fake, 5), "and you say"),
        (shares(last=lambda inside: inside.double()), "should be a number"),
    ],
    "closer_to_training": [
        (copies(compare=lambda a, b: wins(b, a)), "farther"),
        (copies(distance=lambda x, t: torch.cdist(x, t).mean(1)), "mean over the training"),
        (copies(distance=lambda x, t: torch.cdist(x, t).max(1).values), "farthest"),
        (copies(distance=lambda x, t: torch.cdist(x, t).min(0).values), "sample of each training"),
        (lambda s, t, h: wins(near(s, t), near(h, s)), "compared with the samples"),
        (lambda s, t, h: wins(near(s, t), near(s, h)), "two sets were compared"),
        (lambda s, t, h: (near(s, t) < near(s, h)).double().mean(), "two sets were compared"),
        (copies(compare=in_pairs), "one held-out image only"),
        (copies(compare=lambda a, b: (a < b.mean()).double().mean()), "not with a mean"),
        (copies(compare=lambda a, b: (a < b.median()).double().mean()), "not with a median"),
        (copies(compare=lambda a, b: a.mean() / b.mean()), "a ratio"),
        (copies(compare=lambda a, b: wins(a, b) * len(a) * len(b)), "count of pairs"),
        (copies(compare=lambda a, b: (a[:, None] < b).double().mean()), "all distances are the same"),
        (copies(compare=lambda a, b: (a < b).double().mean()), "raised"),
        (copies(compare=lambda a, b: (wins(a, b) + 1) / 2), "and you say"),
        (lambda s, t, h: near(s, t), "should be a number"),
    ],
}  # fmt: skip
