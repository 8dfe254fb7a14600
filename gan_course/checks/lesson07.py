"""Checks for the exercises of lesson 07."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course.checks.framework import attempt, check, expect, expect_number, expect_tensor, gradient_of
from gan_course.networks import Codes, Judgement

LOG_2, LOG_10, LOG_2PI = math.log(2), math.log(10), math.log(2 * math.pi)


@check
def most_nats(guess: Any) -> None:
    """What an image can tell at most about one of ten equally likely categories: log 10."""
    guess = expect_number(guess, "the guess", "Write for example `guess = 1.5`.")
    hint = "Before you see the image, each category has the chance 1/10. How surprised are you by one, in nats?"
    expect(not math.isnan(guess), "nan is no amount of information.", hint)
    expect(math.isfinite(guess), "one of ten things is soon told; nothing infinite is needed.", hint)
    expect(abs(guess - math.log2(10)) > 0.01, "3.32 is the answer in bits. A nat takes the natural logarithm.", hint)
    expect(abs(guess - 1) > 0.01, "1 is that answer to base 10: one decimal digit. A nat takes base e.", hint)
    expect(guess != 10, "10 is the number of categories, not the information in one of them.", hint)
    expect(guess > 0, "information about a code is never below 0, and an image can tell something.", hint)
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
    _expect_uniform(continuous, z[:, 72:].double(), order)


def _expect_uniform(continuous: Tensor, last: Tensor, order: str) -> None:
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
    ranks = torch.cat([continuous, last], 1).argsort(0).argsort(0).double()
    agree = ranks.T.corrcoef()[:2, 2:].abs()  # (codes, numbers of z)
    one = "both continuous codes come from the same number of z: one code, written twice."
    expect(not (agree > 0.99).all(0).any(), one, order)
    expect(agree.diagonal().min() > 0.99, "the continuous codes do not follow the last two numbers of z.", order)


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
        wanted, found = math.log(classes) - F.cross_entropy(logits, category).item(), value.item()
        hint = "log K less the cross-entropy, K the number of columns. F.cross_entropy takes logits."
        for mistake, problem in _category_mistakes(logits.detach(), category):
            expect(not _near(found, mistake) or _near(mistake, wanted), problem, hint)
        expect(_near(found, wanted), f"the bound should be {wanted:.4f} here, but is {found:.4f}.", hint)
        _expect_gradient(value, logits, (F.one_hot(category, classes) - logits.softmax(1)) / n, "the logits")
    sure = attempt(function, 300 * torch.eye(10).roll(1, 0), torch.arange(10))
    ok = sure.isfinite() and abs(sure.item() - (LOG_10 - 300)) < 0.1
    expect(ok, f"for a Q that is sure and wrong it is {sure.item():g}, not {LOG_10 - 300:.1f}.", "No log of a softmax.")


def _category_mistakes(logits: Tensor, category: Tensor) -> list[tuple[float, str]]:
    """Values that wrong formulas give, and the reason."""
    (n, classes), loss = logits.shape, F.cross_entropy(logits, category).item()
    rows, k, bits = torch.arange(n), math.log(classes), loss / LOG_2
    twice = F.cross_entropy(logits.softmax(1), category).item()
    raw, across = (scores[rows, category].mean().item() for scores in (logits, logits.log_softmax(0)))
    mistakes = [
        (k - twice, "softmax was taken before a cross-entropy, which takes it again."),
        (loss, "this is the cross-entropy, which is to fall. The bound is to rise."),
        (-loss, "H(c) = log K is missing, so that a Q that only guesses would not get 0."),
        (loss - k, "the sign is turned."),
        (k - n * loss, "the cross-entropy is summed over the samples; E is a mean."),
        (math.log2(classes) - bits, "this is in bits; the natural logarithm gives nats."),
        (math.log2(classes) - loss, "log K is in bits (log2), the cross-entropy in nats. Both in nats."),
        (k - bits, "the cross-entropy is in bits, log K in nats. Both in nats."),
        (math.log(n) - loss, f"K is the number of categories, {classes} here; this is the log of the {n} samples."),
        (k + raw, "no softmax was taken: a logit alone is no log-probability, for it can be anything."),
        (raw, "this is the mean of the right logits: no softmax was taken, and log K is missing."),
        (k + across, "the softmax goes over the samples (dim 0). Q's chances of the categories add up to 1."),
        (k + loss, "the cross-entropy is added. It is what Q lacks, so it is taken away."),
        (k - loss / classes, "divided by the number of classes: the mean is over samples only."),
    ]
    ten = (LOG_10 - loss, "log 10 is right for ten categories only; here there are three.")
    return [*mistakes, ten] if classes == 3 else mistakes


@check
def gaussian_bound(function: Any) -> None:
    """log 2 + E log N(c; mean, std), summed over the codes."""
    rng = torch.Generator().manual_seed(5)
    hint = (
        "log N(c; m, s) = -(c - m)^2 / (2 s^2) - log s - log(2 pi) / 2. Add log 2, sum over codes, mean over samples."
    )
    for positive in (True, False):  # first where log_std could be taken for a standard deviation, without an error
        mean, log_std = torch.randn(2, 5, 3, generator=rng)
        log_std = log_std.abs() / 2 + 0.2 if positive else log_std
        code = 2 * torch.rand(5, 3, generator=rng) - 1
        mean.requires_grad_(True), log_std.requires_grad_(True)
        value = attempt(function, mean, log_std, code)
        expect_tensor(value, (), "the bound")
        squared, std = ((code - mean) / log_std.exp()).square(), log_std.exp()
        wanted = (LOG_2 - squared / 2 - log_std - LOG_2PI / 2).sum(1).mean().item()
        found = value.item()
        for mistake, problem in _gaussian_mistakes(mean.detach(), log_std.detach(), code):
            expect(not _near(found, mistake) or _near(mistake, wanted), problem, hint)
        expect(_near(found, wanted), f"the bound should be {wanted:.4f} here, but is {found:.4f}.", hint)
        _expect_gradient(value, mean, (code - mean) / std.square() / 5, "the mean")
        _expect_gradient(value, log_std, (squared - 1) / 5, "log_std")


def _gaussian_mistakes(mean: Tensor, log_std: Tensor, code: Tensor) -> list[tuple[float, str]]:
    """Values that wrong formulas give, and the reason. NaN, which equals nothing, where log_std has no logarithm."""
    error, std, rest = (code - mean).square(), log_std.exp(), LOG_2 - LOG_2PI / 2
    squared = error / std.square()
    right = rest - squared / 2 - log_std  # (5, 3)
    is_sigma = "log_std is used as the standard deviation. log_std is a logarithm; take exp."
    formulas = [
        (right - LOG_2, "H(c) = log 2 for each code is missing."),
        (-right, "the sign is turned: the bound is to rise."),
        (right + log_std, "the term - log s is missing, so Q would claim an enormous std for nothing."),
        (LOG_2 - error / 2 - LOG_2PI / 2, "log_std is not used."),
        (-error, "this is a squared error only. Where does Q say how sure it is?"),
        (right + LOG_2PI / 2, "log(2 pi) / 2 is missing: without it this is no density, and no bound."),
        (right - LOG_2PI / 2, "log(2 pi) is not halved: it is the logarithm of a root."),
        (rest - error / std / 2 - log_std / 2, "log_std is taken for the logarithm of the variance."),
        (rest - error / std / 2 - log_std, "the square is divided by 2 sigma; sigma^2 is exp(2 * log_std)."),
        (rest - error / log_std.square() / 2 - log_std.log(), is_sigma),
        (rest - error / log_std.square() / 2 - log_std, is_sigma),
        (right - squared / 2, "the factor 1/2 of the square is missing."),
        (right + 2 * log_std, "log s has the wrong sign."),
    ]
    total = right.sum(1).mean()
    sums = [
        (right.mean(), "averaged over the codes: what they tell adds up."),
        (right.sum(), "summed over the samples too; E is a mean."),
        (right.sum(0).mean(), "summed over the samples (dim 0) and averaged over the codes: the other way round."),
        (total - 2 * LOG_2, "log 2 was added once; every code has an entropy of its own."),
        (total - LOG_2, "2 log 2 is right for two codes only; here there are three."),
    ]
    reduced = [(r, problem) for value, problem in formulas for r in (value.sum(1).mean(), value.mean())]
    return [(value.item(), problem) for value, problem in reduced + sums]


@check
def both_losses(function: Any) -> None:
    """D's and G's losses with lambda times the bound taken off both, and the bound of the fakes only."""
    real, fake, codes, weight = _judged()
    result = attempt(function, real, fake, codes, weight)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two losses should be returned, D's and G's.", "return d_loss, g_loss")
    for name, loss in zip("DG", result, strict=True):
        expect_tensor(loss, (), f"{name}'s loss")
    d_game = F.softplus(-real.logits).mean() + F.softplus(fake.logits).mean()
    g_game = F.softplus(-fake.logits).mean()
    information = weight * (_categorical(fake, codes) + _continuous(fake, codes))
    swapped = _near(result[0], g_game - information) and _near(result[1], d_game - information)
    expect(not swapped, "the two losses have changed places: D's comes first.", "return d_loss, g_loss")
    places = {f"the fakes' {part}": getattr(fake, part) for part in ("logits", "category_logits", "mean")}
    for name, loss, game in (("D", result[0], d_game), ("G", result[1], g_game)):
        for mistake, problem in _wrong_games(name, real, fake, game, information):
            expect(not _near(loss, mistake), problem, GAME)
        for mistake, problem in _wrong_bounds(name, real, fake, codes, weight):
            expect(not _near(loss, game + mistake), problem, LESS)
        of_real = {"the real images' logits": real.logits} if name == "D" else {}
        _expect_loss(name, loss, game - information, of_real | places)


LESS = "Each player's loss as ever, less lambda times the bound: d_loss - weight * bound, g_loss - weight * bound."
GAME = "D: softplus(-real.logits) and softplus(fake.logits), each a mean, added. G: softplus(-fake.logits), a mean."


def _judged() -> tuple[Judgement, Judgement, Codes, float]:
    """What D could return for eight real images and eight fakes, the fakes' codes, and lambda."""
    rng = torch.Generator().manual_seed(6)
    tensors = [torch.randn(8, width, generator=rng).requires_grad_(True) for width in (1, 10, 2, 1, 10, 2)]
    real, fake = (
        Judgement(part[0].squeeze(1), part[1], part[2], torch.zeros_like(part[2]))
        for part in (tensors[:3], tensors[3:])
    )
    return real, fake, Codes(torch.randn(8, 62), torch.arange(8), 2 * torch.rand(8, 2, generator=rng) - 1), 0.7


def _wrong_games(
    name: str, real: Judgement, fake: Judgement, game: Tensor, information: Tensor
) -> list[tuple[Tensor, str]]:
    """Losses with another game than the non-saturating one, and the reason."""
    no_critic = "is a Wasserstein critic's: the logits themselves. This game takes a softplus of them."
    half = "D's loss is halved: it is the mean over real images plus the mean over fakes."
    if name == "D":
        return [
            (game / 2 - information, half),
            ((game - information) / 2, half),
            (fake.logits.mean() - real.logits.mean() - information, f"D's loss {no_critic}"),
        ]
    saturating = "G's loss is the saturating one, the mean of log(1 - D): hardly a slope while D sees through G."
    return [
        (-F.softplus(fake.logits).mean() - information, saturating),
        (-fake.logits.mean() - information, f"G's loss {no_critic}"),
    ]


def _wrong_bounds(name: str, real: Judgement, fake: Judgement, codes: Codes, w: float) -> list[tuple[Tensor, str]]:
    """What could wrongly be added to D's or G's game, and the reason."""
    other = "Q is trained in D's step" if name == "D" else "G has to write the codes into its images"
    copied = f"{name}'s loss has the 0.3 of section 4.3. Here `weight` is lambda, for both kinds of codes."
    weights = [  # of the bound for the category, and of that for the continuous codes
        (0, 0, f"the bound is missing from {name}'s loss: {other}."),
        (-w, -w, f"{name} would push the bound down: it is added, and both players minimise."),
        (1, 1, f"lambda is not used in {name}'s loss."),
        (w, 0, f"{name}'s loss leaves out the continuous codes."),
        (0, w, f"{name}'s loss leaves out the categorical code."),
        (w, 1, f"in {name}'s loss lambda weighs the category only; it is for both kinds of codes."),
        (1, w, f"in {name}'s loss lambda weighs the continuous codes only; it is for both kinds of codes."),
        (w, 0.3 * w, copied),
        (w, 0.3, copied),
        (1, 0.3, copied),
    ]
    category, continuous = _categorical(fake, codes), _continuous(fake, codes)
    on_real = _categorical(real, codes) + _continuous(real, codes)
    return [
        *((-a * category - b * continuous, problem) for a, b, problem in weights),
        (-w * on_real, f"the bound in {name}'s loss is of the real images, whose codes nobody knows."),
        (-w * (category + continuous + on_real), f"{name}'s loss holds the bound of the real images too."),
    ]


def _expect_loss(name: str, loss: Tensor, right: Tensor, places: dict[str, Tensor]) -> None:
    """The value of D's or G's loss, and its gradient at each of the places."""
    found, wanted = loss.item(), right.item()
    slopes = {what: gradient_of(right, place) for what, place in places.items()}
    alike = all(_close(gradient_of(loss, place), slopes[what]) for what, place in places.items())
    expect(
        _near(found, wanted) or not alike,
        f"only constants are missing from {name}'s loss. Its gradients are right, and training would go the same way, "
        f"but it should be {wanted:.4f} here, and is {found:.4f}: the bound in it could not be read as nats.",
        "The bound holds log 10 for the category, and log 2 - log(2 pi) / 2 for each continuous code.",
    )
    expect(_near(found, wanted), f"{name}'s loss should be {wanted:.4f} here, but is {found:.4f}.", LESS)
    for what, place in places.items():
        _expect_gradient(loss, place, slopes[what], f"{what} in {name}'s loss")


@check
def matched_share(function: Any) -> None:
    """The best one-to-one naming of codes by classes."""
    hint = "Count a table (codes, classes), then linear_sum_assignment(table, maximize=True), and sum what it chose."
    rng = torch.Generator().manual_seed(40)
    often = torch.tensor([40.0, 25, 15, 8, 4, 3, 2, 1, 1, 1])  # how often a code occurs
    codes, labels = often.multinomial(600, True, generator=rng), torch.randint(10, (600,), generator=rng)
    labels = torch.where(torch.rand(600, generator=rng) < 0.5, codes // 2, labels)
    share = _share(attempt(function, codes, labels))
    wanted, mistakes = _shares(codes, labels)
    for mistake, problem in mistakes:
        expect(
            not _near(share, mistake) or _near(mistake, wanted),
            f"{problem} It gives {share:.3f} where {wanted:.3f} is right.",
            hint,
        )
    digits, renamed = torch.arange(40) % 10, torch.tensor([7, 3, 1, 0, 2, 9, 8, 4, 6, 5])
    split, crowded = torch.tensor([2, 2, 2, 2, 1, 1, 0, 0]), torch.tensor([0, 0, 1, 1, 2, 2, 2, 2])
    cases = [
        (codes, labels, wanted, "codes of which some occur often and some rarely"),
        (renamed[digits], digits, 1.0, "codes that are digits under other names"),
        (crowded, split, 0.5, "a split class and a crowded code"),
    ]
    for codes, labels, wanted, what in cases:
        share = _share(attempt(function, codes, labels))
        expect(_near(share, wanted), f"for {what} it should be {wanted:.3f}, but is {share:.3f}.", hint)


def _shares(codes: Tensor, labels: Tensor) -> tuple[float, list[tuple[float, str]]]:
    """The right share; and what wrong ways give, and the reason."""
    from scipy.optimize import linear_sum_assignment

    n, table = len(codes), torch.bincount(10 * codes + labels, minlength=100).reshape(10, 10).double()
    by_row, by_column = (table / table.sum(axis, keepdim=True).clamp_min(1) for axis in (1, 0))

    def chosen(by: Tensor, counted: Tensor = table, best: bool = True) -> float:
        return counted[linear_sum_assignment(by.numpy(), maximize=best)].sum().item()

    majority = "a class was given to two codes, or a code to two classes, as in a majority. The naming is one to one."
    greedy = "the largest counts were taken one after the other, and what is left over is worse than it need be."
    in_turn = "the rows or columns took turns: each took the largest count still free. The first ones take too much."
    rates = "the table was divided by its row or column sums before the matching. A frequent code has more samples."
    wrong = [
        (table.trace() / n, "the numbers were compared as they are. A code is not the digit of its number."),
        (chosen(table, best=False) / n, "the worst naming was taken: scipy minimises unless maximize=True."),
        (table.amax(1).sum() / n, majority),
        (table.amax(0).sum() / n, majority),
        (_one_after_the_other(table) / n, greedy),
        (_in_turn(table) / n, in_turn),
        (_in_turn(table.T) / n, in_turn),
        (chosen(by_row) / n, rates),
        (chosen(by_column) / n, rates),
        (chosen(by_row, by_row) / 10, rates),
        (chosen(table), "a share lies between 0 and 1; this counts samples."),
        (100 * chosen(table) / n, "a share lies between 0 and 1; this is a percentage."),
    ]
    return chosen(table) / n, [(float(value), problem) for value, problem in wrong]


def _one_after_the_other(table: Tensor) -> float:
    """What the largest count gives, then the largest of another code and class, and so on."""
    left, taken = table.clone(), 0.0
    for _ in range(10):
        row, column = divmod(int(left.argmax()), 10)
        taken += table[row, column].item()
        left[row], left[:, column] = -1, -1
    return taken


def _in_turn(table: Tensor) -> float:
    """What it gives if each row in turn takes the largest count still free."""
    left, taken = table.clone(), 0.0
    for row in left:
        taken += row.max().item()
        left[:, row.argmax()] = -1
    return taken


def _categorical(judged: Judgement, codes: Codes) -> Tensor:
    return LOG_10 - F.cross_entropy(judged.category_logits, codes.category)


def _continuous(judged: Judgement, codes: Codes) -> Tensor:
    error = (codes.continuous - judged.mean).square()
    return (LOG_2 - error / 2 - LOG_2PI / 2).sum(1).mean()


def _expect_gradient(value: Tensor, place: Tensor, wanted: Tensor, what: str) -> None:
    """The gradient of the value reaches `place`, and is `wanted`."""
    hint = "No .item(), .detach(), no_grad or torch.tensor(...) on the way."
    found = gradient_of(value, place)
    expect(found is not None, f"the value is right, but no gradient reaches {what}: nothing would be learned.", hint)
    expect(_close(found, wanted), f"the value is right, but the gradient at {what} is not.", hint)


def _share(value: Any) -> float:
    return expect_number(value, "the share", "One number.")


def _near(a: Any, b: Any) -> bool:
    """Not so for NaN."""
    return abs(torch.as_tensor(a).item() - torch.as_tensor(b).item()) < 1e-4


def _close(a: Tensor | None, b: Tensor | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.shape == b.shape and torch.allclose(a.detach().double(), b.detach().double(), atol=1e-4)
