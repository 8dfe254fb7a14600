"""Answers to the exercises of lesson 05: valid ones of another form than the reference, and wrong ones."""

import torch
import torch.nn.functional as F
from torch import nn


def distance_by_areas(x, y):
    """The area between the two cumulative distribution functions."""
    places = torch.cat([x, y]).sort().values
    below = [torch.searchsorted(s.sort().values.detach(), places[:-1].detach(), right=True) / len(s) for s in (x, y)]
    return ((below[0] - below[1]).abs() * places.diff()).sum()


def distance_by_carrying(x, y):
    """Carry what is left over from place to place: two pointers, as the earth is moved by hand."""
    x, y = x.sort().values, y.sort().values
    i = j = 0
    left_x, left_y, cost = len(y), len(x), 0.0
    while i < len(x) and j < len(y):
        moved = min(left_x, left_y)
        cost = cost + moved * (x[i] - y[j]).abs()
        left_x, left_y = left_x - moved, left_y - moved
        if left_x == 0:
            i, left_x = i + 1, len(y)
        if left_y == 0:
            j, left_y = j + 1, len(x)
    return cost / (len(x) * len(y))


def repeated(pair):
    """An answer from sorted lists of equal length, (n * m,) each."""
    return lambda x, y: pair(x.sort().values.repeat_interleave(len(y)), y.sort().values.repeat_interleave(len(x)))


def cut(x, y):
    n = min(len(x), len(y))
    return (x.sort().values[:n] - y.sort().values[:n]).abs().mean()


def by_quantiles(x, y):
    levels = torch.linspace(0, 1, 101)
    return (x.quantile(levels) - y.quantile(levels)).abs().mean()


def to_nearest(x, y):
    return (x[:, None] - y).abs().min(1).values.mean()


def both_nearest(x, y):
    return (to_nearest(x, y) + to_nearest(y, x)) / 2


def losses(critic=lambda r, f: f.mean() - r.mean(), generator=lambda r, f: -f.mean()):
    return lambda real, fake: (critic(real, fake), generator(real, fake))


def clip_by_copy(critic, bound):
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.copy_(parameter.clamp(min=-bound, max=bound))


def clip_by_data(critic, bound):
    for parameter in critic.parameters():
        parameter.data = torch.minimum(torch.maximum(parameter.data, torch.tensor(-bound)), torch.tensor(bound))
    return critic


def clip(change, of=lambda critic: critic.parameters()):
    """Do something with each parameter, without a graph."""

    @torch.no_grad()
    def clip_weights(critic, bound):
        for parameter in of(critic):
            change(parameter, bound)

    return clip_weights


def clip_in_the_graph(critic, bound):
    for parameter in critic.parameters():
        parameter.clamp_(-bound, bound)


def new_parameters(critic, bound):
    for layer in critic:
        if isinstance(layer, nn.Linear):
            for name in ("weight", "bias"):
                old = getattr(layer, name)
                setattr(layer, name, nn.Parameter(old.detach().clamp(-bound, bound)))
                getattr(layer, name).grad = old.grad


def frozen(critic, bound):
    clip_by_copy(critic, bound)
    critic.requires_grad_(False)


def penalty(
    u=lambda real: torch.rand(len(real), *[1] * (real.ndim - 1)),
    norm=lambda g: g.flatten(1).norm(dim=1),
    value=lambda norm: (norm - 1).square().mean(),
    total=lambda scores: scores.sum(),
    graph=True,
    detach=False,
):
    """A gradient penalty with one thing changed."""

    def gradient_penalty(critic, real, fake):
        place = u(real)
        x = (place * real + (1 - place) * fake).requires_grad_(True)
        (gradient,) = torch.autograd.grad(total(critic(x)), x, create_graph=graph)
        result = value(norm(gradient))
        return result.detach() if detach else result

    return gradient_penalty


def penalty_beyond(critic, real, fake):
    x = (real + torch.rand(len(real), *[1] * (real.ndim - 1)) * fake).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def penalty_sample_by_sample(critic, real, fake):
    terms = []
    for a, b in zip(real, fake, strict=True):
        x = torch.lerp(a, b, torch.rand(()).item())[None].requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(x)[0], x, create_graph=True)
        terms.append((gradient.square().sum().sqrt() - 1) ** 2)
    return torch.stack(terms).mean()


def penalty_with_ones(critic, real, fake):
    u = torch.rand(len(real)).view(-1, *[1] * (real.ndim - 1)).expand_as(real)
    x = torch.autograd.Variable(fake + u * (real - fake), requires_grad=True)
    scores = critic(x)
    (gradient,) = torch.autograd.grad(scores, x, torch.ones_like(scores), create_graph=True, retain_graph=True)
    return F.mse_loss((gradient.reshape(len(x), -1) ** 2).sum(1).sqrt(), torch.ones(len(x)))


def stretch_of_gram(matrix, steps):
    """Power iteration on W^T W, whose largest eigenvalue is the square."""
    gram, v = matrix.T @ matrix, torch.randn(matrix.shape[1])
    for _ in range(steps):
        v = F.normalize(gram @ v, dim=0)
    return (v @ gram @ v).sqrt()


def stretch_from_the_left(matrix, steps):
    u = F.normalize(torch.randn(len(matrix)), dim=0)
    for _ in range(steps):
        v = F.normalize(matrix.T @ u, dim=0)
        u = F.normalize(matrix @ v, dim=0)
    return u @ matrix @ v


def stretch(start=lambda n: torch.randn(n), unit=lambda v: v / v.norm(), end=lambda w, v: (w @ v).norm()):
    """A power iteration with one thing changed."""

    def largest_stretch(matrix, steps):
        v = start(matrix.shape[1])
        for _ in range(steps):
            v = unit(matrix.T @ (matrix @ v))
        return end(matrix, v)

    return largest_stretch


def eigenvalue(matrix, steps):
    size = max(matrix.shape)
    square = torch.zeros(size, size)
    square[: matrix.shape[0], : matrix.shape[1]] = matrix
    v = torch.randn(size)
    for _ in range(steps):
        v = F.normalize(square @ v, dim=0)
    return (square @ v).norm()


VALID = {
    "step_closer": [(0.0, 1.0), [0, 1], torch.tensor([0.0, 1.0])],
    "earth_movers_distance": [distance_by_areas, distance_by_carrying],
    "wasserstein_losses": [
        lambda r, f: [-(r.mean() - f.mean()), f.neg().mean()],
        losses(critic=lambda r, f: (f - r).mean(), generator=lambda r, f: r.mean().detach() - f.mean()),
    ],
    "clip_weights": [clip_by_copy, clip_by_data],
    "gradient_penalty": [penalty(), penalty_sample_by_sample, penalty_with_ones],
    "largest_stretch": [stretch_of_gram, stretch_from_the_left, stretch()],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "step_closer": [
        ((1, 1), "JS does not fall by 1"),
        ((0.33, 1), "JS does not fall by 0.33"),
        ((0, 0), "W1 does fall"),
        ((0, 5), "the squared distance"),
        ((0, 2), "what is left"),
        ((0, -1), "falls by a positive number"),
        ((0, 0.5), "W1 does not fall by 0.5"),
        (1, "two numbers"),
        (("none", "one"), "two numbers"),
    ],
    "earth_movers_distance": [
        (lambda x, y: (x - y).abs().mean() if len(x) == len(y) else cut(x, y), "in the order in which they came"),
        (cut, "samples of the longer list are left out|lists are not of one length"),
        (lambda x, y: (x.mean() - y.mean()).abs(), "only the means are compared"),
        (repeated(lambda x, y: (x - y).abs().sum() / (len(x) ** 0.5)), "a sum over the samples"),
        (repeated(lambda x, y: (x - y).square().mean()), "W2 squared"),
        (repeated(lambda x, y: (x - y).square().mean().sqrt()), "this is W2"),
        (repeated(lambda x, y: (x - y).mean()), "as negative"),
        (lambda x, y: (x[:, None] - y).abs().mean(), "sent to every other"),
        (to_nearest, "some places stay empty"),
        (both_nearest, "filled twice"),
        (by_quantiles, "it should be"),
        (lambda x, y: distance_by_areas(x, y).detach(), "no gradient flows"),
        (lambda x, y: distance_by_areas(x, y).item(), "should be a tensor"),
    ],
    "wasserstein_losses": [
        (losses(critic=lambda r, f: r.mean() - f.mean()), "critic's loss has the wrong sign"),
        (losses(generator=lambda r, f: f.mean()), "G's loss has the wrong sign"),
        (losses(critic=lambda r, f: f.sum() - r.sum()), "is a sum over the samples"),
        (losses(critic=lambda r, f: f.sigmoid().mean() - r.sigmoid().mean()), "slope depends on the score"),
        (losses(critic=lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean()), "slope depends on the score"),
        (losses(generator=lambda r, f: F.softplus(-f).mean()), "in G's loss the slope depends"),
        (losses(critic=lambda r, f: -r.mean()), "leaves out the fake scores"),
        (losses(critic=lambda r, f: -(f.mean() - r.mean()).abs()), "critic's loss has the wrong sign"),
        (losses(critic=lambda r, f: (f.mean() - r.mean()) / 2), "not mean of fake - mean of real"),
        (losses(critic=lambda r, f: (f.mean() - r.mean()).detach()), "no gradient flows from the critic's"),
        (losses(generator=lambda r, f: -r.mean()), "does not look at the fakes"),
        (losses(generator=lambda r, f: -f), r"should have the shape \(\)"),
        (losses(generator=lambda r, f: -f.sum()), "not minus the mean"),
        (lambda r, f: f.mean() - r.mean(), "two losses should be returned"),
    ],
    "clip_weights": [
        (clip(lambda p, c: p.clamp(-c, c)), "a clamped copy was made and thrown away"),
        (clip_in_the_graph, "autograd refuses"),
        (clip(lambda p, c: p.grad.clamp_(-c / 100, c / 100)), "the gradients were changed"),
        (lambda critic, c: nn.utils.clip_grad_norm_(critic.parameters(), c / 100), "the gradients were changed"),
        (clip(lambda p, c: p.clamp_(-c, c), of=lambda m: [p for p in m.parameters() if p.ndim > 1]), "only some"),
        (clip(lambda p, c: p.clamp_(0, c)), "all negative weights are gone"),
        (clip(lambda p, c: p.clamp_(max=c)), "beyond the bound of -0.5"),
        (clip(lambda p, c: p.mul_(c / p.abs().max())), "scaling is not clipping"),
        (new_parameters, "replaced by new ones"),
        (frozen, "no longer require gradients"),
    ],
    "gradient_penalty": [
        (penalty(norm=lambda g: g.norm()), "over the whole batch"),
        (penalty(norm=lambda g: g.norm(2, dim=1)), "over the channels only"),
        (penalty(graph=False), "no gradient of it reaches the critic"),
        (penalty(detach=True), "no gradient of it reaches the critic"),
        (penalty(u=torch.rand_like), "number of its own"),
        (penalty(u=lambda real: torch.rand(len(real), 1, 1, 1)), "u was broadcast wrongly"),
        (penalty_beyond, "lie beyond the real or the fake"),
        (penalty(u=lambda real: torch.randn(len(real), *[1] * (real.ndim - 1))), "beyond the real or the fake"),
        (penalty(u=lambda real: torch.rand(())), "share one interpolation number"),
        (penalty(u=lambda real: torch.ones(())), "at real points only"),
        (penalty(u=lambda real: torch.zeros(())), "at fake points only"),
        (penalty(u=lambda real: torch.rand(len(real), *[1] * (real.ndim - 1)).round()), "at the ends only"),
        (penalty(u=lambda real: torch.rand(len(real), *[1] * (real.ndim - 1)) ** 3), "not uniform"),
        (penalty(value=lambda n: n.square().mean()), "as R1 does"),
        (penalty(value=lambda n: (n - 1).clamp_min(0).square().mean()), "one-sided"),
        (penalty(value=lambda n: (n - 1).square().sum()), "a sum over the samples"),
        (penalty(value=lambda n: (n.mean() - 1) ** 2), "averaged before the square"),
        (penalty(value=lambda n: (n - 1).abs().mean()), "is not squared"),
        (penalty(norm=lambda g: g.flatten(1).square().sum(1)), "lacks its root"),
        (penalty(total=lambda scores: scores.mean()), "averaged before the gradient"),
        (penalty(value=lambda n: 10 * (n - 1).square().mean()), "it should be"),
        (lambda critic, real, fake: ((real - fake).flatten(1).norm(dim=1) - 1).square().mean(), "never asked"),
    ],
    "largest_stretch": [
        (stretch(end=lambda w, v: (w.T @ (w @ v)).norm()), "square of it"),
        (lambda w, steps: w.norm(), "root of the sum of all squares"),
        (lambda w, steps: w.abs().sum(1).max(), "largest row sum"),
        (eigenvalue, "it should be"),
        (stretch(unit=lambda v: v), "NaN or infinity"),
        (stretch(start=lambda n: torch.ones(n)), "across"),
        (stretch(start=lambda n: torch.eye(n)[0]), "diagonal matrix"),
        (stretch(start=torch.zeros), "NaN or infinity"),
        (lambda w, steps: w.abs().max(), "it should be"),
        (lambda w, steps: stretch()(w, 1), "it should be"),
        (lambda w, steps: torch.linalg.svdvals(w), r"shape \(\)"),
        (lambda w, steps: torch.linalg.svdvals(w)[0], "exact after a single round"),
        (lambda w, steps: stretch()(w, 500), "exact after a single round"),
    ],
}
