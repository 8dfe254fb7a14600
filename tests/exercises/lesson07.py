"""Answers to the exercises of lesson 07: valid ones of another form than the reference, and wrong ones."""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment

LOG_2, LOG_2PI = math.log(2), math.log(2 * math.pi)
NAMES = {"math": math, "linear_sum_assignment": linear_sum_assignment}


def uniform(last):
    return torch.erf(last / math.sqrt(2))


def codes(
    category=lambda s: F.one_hot(s.argmax(1), 10).float(),
    continuous=uniform,
    split=lambda z: (z[:, :62], z[:, 62:72], z[:, 72:]),
):
    """Codes from z with one thing done differently."""

    def codes_of(z):
        noise, scores, last = split(z)
        return noise, category(scores), continuous(last)

    return codes_of


def by_sorting(z):
    """The smallest number chooses; uniform by the normal distribution of torch."""
    one_hot = torch.zeros(len(z), 10)
    one_hot[torch.arange(len(z)), z[:, 62:72].argmin(1)] = 1
    return [z[:, :62], one_hot, 1 - 2 * torch.distributions.Normal(0.0, 1.0).cdf(z[:, 72:])]


def by_comparison(z):
    noise, scores, last = z.split([62, 10, 2], 1)
    return noise, (scores == scores.max(1, keepdim=True).values).float(), 2 * torch.special.ndtr(last) - 1


def bound_by_hand(logits, category):
    log_q = logits - logits.logsumexp(1, keepdim=True)
    return math.log(logits.shape[1]) + log_q[torch.arange(len(logits)), category].mean()


def bound_by_distribution(logits, category):
    q = torch.distributions.Categorical(logits=logits)
    return q.log_prob(category).mean() - math.log(1 / logits.size(1))


def log_of_softmax(logits, category):
    return math.log(logits.shape[1]) + torch.log(logits.softmax(1)[torch.arange(len(logits)), category]).mean()


def less(loss):
    """log K less something."""
    return lambda logits, category: math.log(logits.shape[1]) - loss(logits, category)


def per_sample(log_q):
    """log K plus the mean of log Q at the true category."""
    return lambda q, c: math.log(q.shape[1]) + log_q(q)[torch.arange(len(q)), c].mean()


def density(mean, log_std, code):
    return -0.5 * ((code - mean) / log_std.exp()) ** 2 - log_std - 0.5 * math.log(2 * math.pi)


def gaussian(log_density=density, entropy=LOG_2, reduce=lambda x: x.sum(1).mean()):
    return lambda mean, log_std, code: reduce(log_density(mean, log_std, code) + entropy)


def gaussian_by_distribution(mean, log_std, code):
    q = torch.distributions.Independent(torch.distributions.Normal(mean, log_std.exp()), 1)
    return q.log_prob(code).mean() + code.shape[1] * math.log(2)


def std_without_exp(mean, log_std, code):
    q = torch.distributions.Normal(mean, log_std)
    return (q.log_prob(code) + math.log(2)).sum(1).mean()


def gaussian_by_loss(mean, log_std, code):
    loss = F.gaussian_nll_loss(mean, code, (2 * log_std).exp(), full=True, reduction="none", eps=0)
    return (math.log(2) - loss).sum() / len(code)


def bound_of(judged, codes, category=True, continuous=True):
    total = 0.0
    if category:
        total = total + math.log(10) - F.cross_entropy(judged.category_logits, codes.category)
    if continuous:
        total = total + gaussian()(judged.mean, judged.log_std, codes.continuous)
    return total


def information(category=None, continuous=None):
    """What is added to a loss: the bounds of the two kinds of codes, each with lambda or a weight of its own."""

    def added(real, fake, codes, weight):
        a, b = (weight if own is None else own(weight) for own in (category, continuous))
        return -a * bound_of(fake, codes, continuous=False) - b * bound_of(fake, codes, category=False)

    return added


BOTH = information()


def losses(
    d=BOTH,
    g=BOTH,
    d_game=lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean(),
    g_game=lambda fake: F.softplus(-fake).mean(),
):
    """Both losses, with each game, and what is added to it, in functions of their own."""

    def both_losses(real, fake, codes, weight):
        d_loss, g_loss = d_game(real.logits, fake.logits), g_game(fake.logits)
        return d_loss + d(real, fake, codes, weight), g_loss + g(real, fake, codes, weight)

    return both_losses


def two_errors(real, fake, codes, weight):
    """The bound without its constants: a cross-entropy and a squared error."""
    return weight * (F.cross_entropy(fake.category_logits, codes.category) + F.mse_loss(fake.mean, codes.continuous))


def all_halved(*parts):
    d_loss, g_loss = losses()(*parts)
    return d_loss / 2, g_loss


def losses_with_bce(real, fake, codes, weight):
    bce, ones = F.binary_cross_entropy_with_logits, torch.ones(len(fake.logits))
    log_q = F.log_softmax(fake.category_logits, 1).gather(1, codes.category[:, None])[:, 0]
    log_q = log_q + torch.distributions.Normal(fake.mean, fake.log_std.exp()).log_prob(codes.continuous).sum(1)
    information = (log_q + math.log(10) + 2 * math.log(2)).mean() * weight
    return [
        bce(real.logits, ones) + bce(fake.logits, 0 * ones) - information,
        bce(fake.logits, ones) - information,
    ]


def no_gradient(real, fake, codes, weight):
    return -weight * torch.tensor(bound_of(fake, codes).item())


def table_of(codes, labels, n=10):
    table = torch.zeros(n, n)
    for code, label in zip(codes.tolist(), labels.tolist(), strict=True):
        table[code, label] += 1
    return table


def share(count):
    """A share from the table of counts."""
    return lambda codes, labels: count(table_of(codes, labels)) / len(codes)


def assigned(table, maximize=True):
    rows, columns = linear_sum_assignment(table.numpy(), maximize=maximize)
    return table[rows, columns].sum().item()


def by_trying(codes, labels):
    """All namings of the codes that occur where that is few, else scipy on the negated table."""
    used = codes.unique().tolist()
    if len(used) > 4:
        return share(lambda t: t[linear_sum_assignment(-t.numpy())].sum())(codes, labels)
    table = table_of(codes, labels)
    found = [
        sum(table[c, d] for c, d in zip(used, order, strict=True))
        for order in itertools.permutations(range(10), len(used))
    ]
    return max(found) / len(codes)


def by_shares(axis):
    """Match the shares within each row or column, then count."""

    def count(table):
        shares = table / table.sum(axis, keepdim=True).clamp_min(1)
        return table[linear_sum_assignment(shares.numpy(), maximize=True)].sum().item()

    return count


def without_clamp(table):
    return table[linear_sum_assignment((table / table.sum(1, keepdim=True)).numpy(), maximize=True)].sum().item()


def mean_of_shares(codes, labels):
    table = table_of(codes, labels)
    return assigned(table / table.sum(1, keepdim=True).clamp_min(1)) / 10


def in_turn(table):
    """Row by row, the largest count that is still free."""
    table, total = table.clone(), 0
    for row in table:
        total += row.max().item()
        table[:, row.argmax()] = -1
    return total


def greedy(table):
    table, total = table.clone(), 0
    for _ in range(len(table)):
        row, column = divmod(int(table.argmax()), len(table))
        total += table[row, column].item()
        table[row], table[:, column] = -1, -1
    return total


VALID = {
    "most_nats": [math.log(10), 2.303, 2.3, torch.tensor(10.0).log(), np.float32(2.3026), np.log([10.0])[0]],
    "codes_of": [by_sorting, by_comparison],
    "categorical_bound": [bound_by_hand, bound_by_distribution],
    "gaussian_bound": [gaussian_by_distribution, gaussian_by_loss],
    "both_losses": [losses(), losses_with_bce],
    "matched_share": [share(assigned), by_trying, share(lambda t: assigned(t.T))],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "most_nats": [
        (math.log2(10), "in bits"),
        (1, "base 10"),
        (10, "number of categories"),
        (0, "never below 0"),
        (float("inf"), "nothing infinite"),
        (4.6, "more than the code holds"),
        (0.5, "it is not 0.5"),
        ("all", "should be a number"),
        ("2.3026", "should be a number"),
        (True, "should be a number"),
        (np.bool_(True), "should be a number"),
        (torch.tensor(True), "should be a number"),
        (torch.ones(10), r"should be a number, but is of shape \(10,\)"),
        (math.log, "should be a number"),
        (float("nan"), "nan is no amount"),
        (torch.tensor(float("nan")), "nan is no amount"),
    ],
    "codes_of": [
        (codes(category=lambda s: s.softmax(1)), "a softmax is no choice"),
        (codes(category=lambda s: s), "no category is chosen"),
        (codes(category=lambda s: s.argmax(1)), r"one_hot should have the shape \(6000, 10\)"),
        (codes(category=lambda s: (s > 0).float()), "a single 1 and nine zeros"),
        (codes(category=lambda s: F.one_hot(torch.zeros(len(s), dtype=torch.long), 10)), "not equally likely"),
        (codes(category=lambda s: F.one_hot(torch.randint(10, (len(s),)), 10)), "does not follow from the ten"),
        (codes(continuous=lambda last: last), "still normal"),
        (codes(continuous=lambda last: torch.special.ndtr(last)), r"lie in \[0, 1\]"),
        (codes(continuous=torch.tanh), "does not make them uniform"),
        (codes(continuous=lambda last: last.clamp(-1, 1)), "clamping piles"),
        (codes(continuous=torch.erf), "root of 2 is missing"),
        (codes(continuous=lambda last: 2 * torch.rand_like(last) - 1), "do not follow the last two"),
        (codes(continuous=lambda last: uniform(last[:, :1]).repeat(1, 2)), "from the same number of z"),
        (codes(continuous=lambda last: uniform(last[:, 1:] * torch.tensor([1, -1]))), "from the same number of z"),
        (
            codes(continuous=lambda last: torch.stack([uniform(last[:, 0]), 2 * torch.rand(len(last)) - 1], 1)),
            "do not follow",
        ),
        (codes(split=lambda z: (z[:, 12:], z[:, :10], z[:, 10:12])), "first 62 numbers of z"),
        (lambda z: z, "three tensors should be returned"),
    ],
    "categorical_bound": [
        (less(lambda q, c: F.cross_entropy(q.softmax(1), c)), "softmax was taken before"),
        (F.cross_entropy, "this is the cross-entropy"),
        (lambda q, c: -F.cross_entropy(q, c), "log K is missing"),
        (lambda q, c: F.cross_entropy(q, c) - math.log(q.shape[1]), "the sign is turned"),
        (less(lambda q, c: F.cross_entropy(q, c, reduction="sum")), "summed over the samples"),
        (lambda q, c: math.log2(q.shape[1]) - F.cross_entropy(q, c) / math.log(2), "in bits"),
        (lambda q, c: math.log(10) - F.cross_entropy(q, c), "here there are three"),
        (less(lambda q, c: -F.cross_entropy(q, c)), "the cross-entropy is added"),
        (less(lambda q, c: F.cross_entropy(q, c) / q.shape[1]), "divided by the number of classes"),
        (lambda q, c: math.log(len(q)) - F.cross_entropy(q, c), r"this is the log of the \d+ samples"),
        (lambda q, c: math.log2(q.shape[1]) - F.cross_entropy(q, c), r"log K is in bits \(log2\)"),
        (less(lambda q, c: F.cross_entropy(q, c) / math.log(2)), "the cross-entropy is in bits"),
        (per_sample(lambda q: q), "a logit alone is no log-probability"),
        (less(F.nll_loss), "a logit alone is no log-probability"),
        (lambda q, c: q.gather(1, c[:, None]).mean(), "log K is missing"),
        (per_sample(lambda q: q.log_softmax(0)), r"over the samples \(dim 0\)"),
        (lambda q, c: torch.tensor(less(F.cross_entropy)(q, c).item()), "no gradient reaches the logits"),
        (lambda q, c: less(F.cross_entropy)(q.detach(), c), "no gradient reaches the logits"),
        (log_of_softmax, "sure and wrong"),
        (lambda q, c: less(F.cross_entropy)(q, c).item(), "should be a tensor"),
        (lambda q, c: (q.argmax(1) == c).float().mean(), "the bound should be"),
    ],
    "gaussian_bound": [
        (gaussian(entropy=0), "log 2 for each code is missing"),
        (lambda m, s, c: -gaussian()(m, s, c), "the sign is turned"),
        (gaussian(lambda m, s, c: density(m, s, c) + s), "- log s is missing"),
        (gaussian(lambda m, s, c: density(m, 0 * s, c)), "log_std is not used"),
        (lambda m, s, c: -(c - m).square().sum(1).mean(), "squared error only"),
        (gaussian(lambda m, s, c: density(m, s, c) + 0.5 * math.log(2 * math.pi)), r"log\(2 pi\) / 2 is missing"),
        (gaussian(lambda m, s, c: density(m, s / 2, c)), "logarithm of the variance"),
        (gaussian(lambda m, s, c: density(m, s, c) - 0.5 * ((c - m) / s.exp()) ** 2), "factor 1/2"),
        (gaussian(lambda m, s, c: density(m, s, c) + 2 * s), "log s has the wrong sign"),
        (gaussian(reduce=lambda x: x.mean()), "averaged over the codes"),
        (gaussian(reduce=lambda x: x.sum()), "summed over the samples"),
        (lambda m, s, c: gaussian(entropy=0)(m, s, c) + math.log(2), "log 2 was added once"),
        (std_without_exp, "log_std is a logarithm; take exp"),
        (gaussian(lambda m, s, c: -0.5 * ((c - m) / s) ** 2 - s.log() - 0.5 * LOG_2PI), "is a logarithm; take exp"),
        (gaussian(lambda m, s, c: -0.5 * ((c - m) / s) ** 2 - s - 0.5 * LOG_2PI), "is a logarithm; take exp"),
        (gaussian(lambda m, s, c: -((c - m) ** 2) / (2 * s.exp()) - s - 0.5 * LOG_2PI), "divided by 2 sigma"),
        (gaussian(lambda m, s, c: density(m, s, c) - 0.5 * LOG_2PI), r"log\(2 pi\) is not halved"),
        (lambda m, s, c: gaussian(entropy=0)(m, s, c) + 2 * math.log(2), "2 log 2 is right for two codes only"),
        (gaussian(reduce=lambda x: x.sum(0).mean()), "the other way round"),
        (gaussian(lambda m, s, c: density(m, s.clamp(min=0), c)), "the bound should be"),
        (lambda m, s, c: gaussian()(m, s.detach(), c), "no gradient reaches log_std"),
        (lambda m, s, c: gaussian()(m.detach(), s, c), "no gradient reaches the mean"),
        (gaussian(density, entropy=math.log(3)), "the bound should be"),
    ],
    "both_losses": [
        (losses(d=lambda r, f, c, w: 0), "the bound is missing from D's loss: Q is trained"),
        (losses(g=lambda r, f, c, w: 0), "the bound is missing from G's loss: G has to write"),
        (losses(d=lambda r, f, c, w: w * bound_of(f, c)), "D would push the bound down"),
        (losses(g=lambda r, f, c, w: w * bound_of(f, c)), "G would push the bound down"),
        (losses(d=lambda r, f, c, w: -bound_of(f, c)), "lambda is not used in D's"),
        (losses(d=lambda r, f, c, w: -w * bound_of(r, c)), "of the real images, whose codes nobody knows"),
        (losses(d=lambda r, f, c, w: -w * (bound_of(r, c) + bound_of(f, c))), "the real images too"),
        (losses(g=lambda r, f, c, w: -w * bound_of(f, c, continuous=False)), "leaves out the continuous"),
        (losses(g=lambda r, f, c, w: -w * bound_of(f, c, category=False)), "leaves out the categorical"),
        (losses(g=no_gradient), "no gradient reaches the fakes' category_logits in G's loss"),
        (losses(d=lambda *a: no_gradient(*a)), "no gradient reaches the fakes' category_logits in D's loss"),
        (losses(d=lambda r, f, c, w: -2 * w * bound_of(f, c) - 1), "D's loss should be"),
        (losses(g_game=lambda f: F.softplus(-f).mean().detach()), "reaches the fakes' logits in G's loss"),
        (
            losses(d_game=lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean().detach()),
            "fakes' logits in D's loss",
        ),
        (losses(d_game=lambda r, f: F.softplus(-r).mean().detach() + F.softplus(f).mean()), "the real images' logits"),
        (losses(g_game=lambda f: -F.softplus(f).mean()), "G's loss is the saturating one"),
        (losses(g_game=lambda f: (1 - f.sigmoid()).log().mean()), "G's loss is the saturating one"),
        (losses(g_game=lambda f: -f.mean()), "G's loss is a Wasserstein critic's"),
        (losses(d_game=lambda r, f: f.mean() - r.mean()), "D's loss is a Wasserstein critic's"),
        (losses(d_game=lambda r, f: (F.softplus(-r).mean() + F.softplus(f).mean()) / 2), "D's loss is halved"),
        (all_halved, "D's loss is halved"),
        (losses(d=information(continuous=lambda w: 1)), "in D's loss lambda weighs the category only"),
        (losses(g=information(category=lambda w: 1)), "in G's loss lambda weighs the continuous codes only"),
        (losses(d=information(continuous=lambda w: 0.3 * w)), "D's loss has the 0.3 of section 4.3"),
        (losses(g=information(continuous=lambda w: 0.3)), "G's loss has the 0.3 of section 4.3"),
        (
            losses(information(lambda w: 1, lambda w: 0.3), information(lambda w: 1, lambda w: 0.3)),
            "the 0.3 of section",
        ),
        (lambda *parts: losses()(*parts)[::-1], "the two losses have changed places"),
        (losses(d=two_errors, g=two_errors), "only constants are missing from D's loss"),
        (losses(g=two_errors), "only constants are missing from G's loss"),
        (losses(d=lambda *parts: two_errors(*parts).detach()), "D's loss should be"),
        (lambda *parts: losses()(*parts)[0], "two losses should be returned"),
    ],
    "matched_share": [
        (lambda c, d: (c == d).float().mean().item(), "compared as they are"),
        (share(lambda t: t.amax(1).sum().item()), "given to two codes"),
        (share(lambda t: assigned(t, maximize=False)), "the worst naming was taken: scipy minimises unless max"),
        (share(by_shares(1)), "divided by its row or column sums"),
        (share(by_shares(0)), "divided by its row or column sums"),
        (share(without_clamp), "divided by its row or column sums"),
        (mean_of_shares, "divided by its row or column sums"),
        (share(in_turn), "took turns"),
        (share(lambda t: in_turn(t.T)), "took turns"),
        (lambda c, d: 100 * share(assigned)(c, d), "this is a percentage"),
        (lambda c, d: table_of(c, d).numpy(), "should be a number"),
        (lambda c, d: float("nan"), "but is nan"),
        (share(greedy), "one after the other"),
        (lambda c, d: assigned(table_of(c, d)), "counts samples"),
        (lambda c, d: table_of(c, d), "should be a number"),
        (share(lambda t: t.amax(0).sum().item()), "a code to two classes"),
    ],
}
