"""Checks for the exercises of lesson 05."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from gan_course.checks.framework import NotYet, attempt, check, expect, expect_tensor


@check
def step_closer(guess: Any) -> None:
    """How far JS and W1 fall when the fakes move from 3 to 2 and all real samples lie at 0: by 0 and by 1."""
    guess = guess.tolist() if isinstance(guess, Tensor) else guess
    pair = isinstance(guess, tuple | list) and len(guess) == 2
    numbers = pair and all(isinstance(part, int | float) and not isinstance(part, bool) for part in guess)
    expect(numbers, f"the guess should be two numbers, but is {guess!r}.", "For example `guess = (0.5, 0.5)`.")
    js, w1 = guess
    expect(
        js == 0,
        f"JS does not fall by {js:g}: before and after, no fake lies where a real sample does.",
        "What does the best discriminator answer at 0, at 2 and at 3?",
    )
    expect(w1 >= 0, "the distance becomes smaller, so it falls by a positive number.", "3 before. And after?")
    expect(w1 != 0, "W1 does fall: every fake has a shorter way to go.", "How far is 0 from 3, and from 2?")
    expect(w1 != 5, "5 is how far the squared distance falls. W1 is about the distance itself.", "3 before. And after?")
    expect(w1 != 2, "2 is what is left. By how much did it fall?", "3 before.")
    expect(abs(w1 - 1) < 1e-6, f"W1 does not fall by {w1:g}.", "Every fake is moved by 1.")


@check
def earth_movers_distance(function: Any) -> None:
    """W1 between samples on a line, of equal and unequal numbers, in value and gradient."""
    for x, y, wanted in EQUAL:
        found = _scalar(attempt(function, torch.tensor(x), torch.tensor(y)))
        case = f"between {x} and {y} it should be {wanted:g}, but is {found.item():.4g}"
        for mistake, reason, hint in _distance_mistakes(torch.tensor(x), torch.tensor(y)):
            same = abs(found.item() - mistake) < 1e-4
            expect(not same or abs(mistake - wanted) < 1e-4, f"{case}: {reason}", hint)
        expect(abs(found.item() - wanted) < 1e-4, f"{case}.", "Sort both; then the k-th belongs to the k-th.")
    share = "Each of 2 points holds 1/2, each of 3 holds 1/3. Repeat every x len(y) times and every y len(x) times."
    for x, y, wanted in UNEQUAL:
        found = _scalar(attempt(function, torch.tensor(x), torch.tensor(y))).item()
        n = min(len(x), len(y))
        cut = (torch.tensor(x).sort().values[:n] - torch.tensor(y).sort().values[:n]).abs().mean().item()
        case = f"between {x} and {y} it should be {wanted:g}, but is {found:.4g}"
        expect(abs(found - cut) > 1e-4, f"{case}: the largest samples of the longer list are left out.", share)
        expect(abs(found - wanted) < 1e-4, f"{case}: the lists are not of one length.", share)
    fakes = torch.tensor([5.0, 4.0, 7.0], requires_grad=True)
    found = _scalar(attempt(function, fakes, torch.tensor([0.0, 1.0])))
    expect(found.requires_grad, "no gradient flows to the fakes, so G could not learn from it.", "No .item().")
    (slope,) = torch.autograd.grad(found, fakes, allow_unused=True)
    expect(
        slope is not None and torch.allclose(slope, torch.full((3,), 1 / 3), atol=1e-4),
        "three fakes to the right of all real samples should be pulled with a slope of 1/3 each, but are not.",
        "Keep the sorted values themselves in the result, not only their places.",
    )


EQUAL = [
    ([0.0, 1.0, 3.0], [5.0, 6.0, 8.0], 5.0),
    ([3.0, 0.0, 1.0], [0.5, 4.0, 1.5], 2 / 3),
    ([-1.0, 1.0], [0.0, 0.0], 1.0),
    ([0.0, 4.0, 4.5], [0.2, 0.3, 4.4], 4 / 3),
]
UNEQUAL = [([0.0, 1.0], [0.0, 0.5, 1.0], 1 / 6), ([2.0, 0.0, 10.0], [1.0], 11 / 3), ([0.0], [4.0, 2.0], 3.0)]


def _distance_mistakes(x: Tensor, y: Tensor) -> list[tuple[float, str, str]]:
    """Values that wrong formulas give, the reason and a hint."""
    gaps, ordered = (x[:, None] - y).abs(), x.sort().values - y.sort().values
    nearest = (gaps.min(0).values.mean() + gaps.min(1).values.mean()) / 2
    plan, square = "Sort both; then the k-th belongs to the k-th.", "Earth times distance: no square."
    found = [
        (ordered.abs().sum(), "this is a sum over the samples.", "Every sample holds 1/n of the earth."),
        (ordered.square().mean(), "this is the mean squared distance, W2 squared.", square),
        (ordered.square().mean().sqrt(), "this is W2, the root of the mean square.", square),
        ((x - y).abs().mean(), "the samples were paired in the order in which they came.", plan),
        ((x.mean() - y.mean()).abs(), "only the means are compared; two spread and two equal points differ too.", plan),
        (ordered.mean(), "a way to the left counts as negative.", "A distance: .abs() before .mean()."),
        (gaps.mean(), "every sample was sent to every other. The cheapest plan is asked for.", plan),
        (nearest, "each sample went to its nearest neighbour, and some places were filled twice.", plan),
        (gaps.min(1).values.mean(), "each sample went to its nearest neighbour, some places stay empty.", plan),
    ]
    return [(float(value), reason, hint) for value, reason, hint in found]


@check
def wasserstein_losses(function: Any) -> None:
    """What critic and generator of a WGAN minimise, by value and gradient, whichever scores are the higher ones."""
    _expect_wasserstein(function, [3.0, -1.0, 4.0], [0.5, -2.0, 1.0])
    _expect_wasserstein(function, [0.5, -2.0, 1.0], [3.0, -1.0, 4.0])


def _expect_wasserstein(function: Any, real_scores: list[float], fake_scores: list[float]) -> None:
    real, fake = (torch.tensor(scores, requires_grad=True) for scores in (real_scores, fake_scores))
    result = attempt(function, real, fake)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two losses should be returned: the critic's and the generator's.", "return critic_loss, g_loss")
    for name, loss in zip(("the critic's loss", "G's loss"), result, strict=True):
        expect_tensor(loss, (), name)
        expect(loss.requires_grad, f"no gradient flows from {name}.", "No .item(), no .detach().")
    critic, generator = result
    slopes = [torch.autograd.grad(critic, scores, retain_graph=True, allow_unused=True)[0] for scores in (real, fake)]
    for slope, whose in zip(slopes, ("real", "fake"), strict=True):
        expect(slope is not None, f"the critic's loss leaves out the {whose} scores.", "mean of fake - mean of real.")
    _expect_constant(slopes, "the critic's loss")
    third = 1 / 3
    up, down = slopes[0][0].item(), slopes[1][0].item()
    expect(
        not (up > 0 > down),
        "the critic's loss has the wrong sign: minimising it, the critic would rate fakes above real samples.",
        "It maximises E f(real) - E f(fake), and an optimizer minimises.",
    )
    expect(abs(up + 1) > 1e-4, "the critic's loss is a sum over the samples.", "An expectation is a mean.")
    right = abs(up + third) < 1e-4 and abs(down - third) < 1e-4
    expect(right, "the critic's loss is not mean of fake - mean of real.", "No factor, no sigmoid.")
    (slope,) = torch.autograd.grad(generator, fake, allow_unused=True)
    expect(slope is not None, "G's loss does not look at the fakes' scores.", "G can change f(G(z)) only.")
    _expect_constant([slope], "G's loss")
    expect(slope[0] < 0, "G's loss has the wrong sign: G would lower the scores of its fakes.", "G wants f(G(z)) high.")
    expect(abs(slope[0] + third) < 1e-4, "G's loss is not minus the mean of the fakes' scores.", "-mean, no factor.")


def _expect_constant(slopes: list[Tensor], name: str) -> None:
    flat = all(slope.std() < 1e-5 for slope in slopes)
    expect(
        flat,
        f"in {name} the slope depends on the score: something bends it, such as a sigmoid, a logarithm or a square.",
        "A critic's score is no probability. It goes into the loss as it is.",
    )


@check
def clip_weights(function: Any) -> None:
    """Every parameter into [-bound, bound], in place, and nothing else."""
    torch.default_generator.manual_seed(1)
    critic = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.copy_(torch.linspace(-1.5, 1.4, parameter.numel()).view_as(parameter))
    identities, before = [id(p) for p in critic.parameters()], [p.detach().clone() for p in critic.parameters()]
    critic(torch.randn(5, 3)).sum().backward()
    slopes = [p.grad.clone() for p in critic.parameters()]
    try:
        _call_in_place(function, critic, 0.5)
    except NotYet as error:
        if "in-place" in error.problem:
            raise NotYet(
                "autograd refuses to change a trainable weight in place.", "with torch.no_grad(): ..."
            ) from None
        raise
    after = list(critic.parameters())
    moved = [not torch.equal(p, old) for p, old in zip(after, before, strict=True)]
    kept = all(p.grad is not None and torch.equal(p.grad, old) for p, old in zip(after, slopes, strict=True))
    expect(kept, "the gradients were changed. WGAN clips the weights.", "parameter, not parameter.grad.")
    expect(
        any(moved),
        "no weight has changed: perhaps a clamped copy was made and thrown away.",
        "`clamp` returns a new tensor; `clamp_`, with an underscore, works in place.",
    )
    expect(all(moved), "only some parameters were clipped.", "critic.parameters() gives the biases as well.")
    same = [id(p) for p in after] == identities
    expect(same, "the parameters were replaced by new ones, which the optimizer does not know.", "Work in place.")
    values = torch.cat([p.detach().flatten() for p in after])
    old = torch.cat([p.flatten() for p in before])
    expect(values.min() < 0, "all negative weights are gone: the range is [-bound, bound].", "clamp_(-bound, bound)")
    expect(values.max() <= 0.5 + 1e-6, f"a weight of {values.max():.2f} is beyond the bound of 0.5.", "Both sides.")
    expect(values.min() >= -0.5 - 1e-6, f"a weight of {values.min():.2f} is beyond the bound of -0.5.", "Both sides.")
    inside = old.abs() < 0.5
    expect(
        torch.allclose(values[inside], old[inside]),
        "weights inside the bounds were changed too: scaling is not clipping.",
        "Only what lies outside is moved, onto the bound.",
    )
    expect(torch.allclose(values, old.clamp(-0.5, 0.5)), "the weights are not clipped to [-0.5, 0.5].", "clamp_")
    trainable = all(p.requires_grad for p in after)
    expect(trainable, "the parameters no longer require gradients: the critic cannot learn.", "Leave them trainable.")


@check
def gradient_penalty(function: Any) -> None:
    """The penalty of WGAN-GP: where it is taken, of which gradient, its value, and its own gradient."""
    real, fake = torch.full((400, 2, 3), 2.0), torch.full((400, 2, 3), 3.0)
    seen = []

    def spy(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return x.flatten(1).sum(1)

    _scalar(attempt(function, spy, real, fake))
    expect(seen, "the critic was never asked.", "scores = critic(x)")
    shapes = {tuple(points.shape[1:]) for points in seen}
    expect(
        shapes == {(2, 3)},
        f"the points between have the shape {tuple(seen[0].shape)}, the samples (400, 2, 3): u was broadcast wrongly.",
        "u needs as many 1s as the samples have further axes: (N, 1, 1) here.",
    )
    _expect_between(torch.cat(seen).flatten(1) - 2)
    _expect_per_sample(function)
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    penalty = _scalar(attempt(function, lambda x: x @ weight, torch.randn(8, 2), torch.randn(8, 2)))
    expect(
        penalty.requires_grad,
        "the value is right, but no gradient of it reaches the critic: training would not notice it.",
        "torch.autograd.grad(..., create_graph=True) keeps the way back; .item() and .detach() cut it.",
    )
    (slope,) = torch.autograd.grad(penalty, weight)
    wanted = 2 * (5 - 1) * torch.tensor([0.6, 0.8])  # the gradient of (|w| - 1)^2
    expect(torch.allclose(slope, wanted, atol=1e-3), "its gradient is not that of (|w| - 1)^2.", "create_graph=True")


def _expect_between(points: Tensor) -> None:
    """Points (N, 6) where the critic was asked; 0 is real and 1 is fake."""
    place = points[:, 0]
    ends = [(place == end).all() for end in (0, 1)]
    expect(not ends[0], "the critic was asked at real points only.", "Between them: u * real + (1 - u) * fake.")
    expect(not ends[1], "the critic was asked at fake points only.", "Between them: u * real + (1 - u) * fake.")
    inside = points.min() >= 0 and points.max() <= 1
    expect(inside, "some points lie beyond the real or the fake sample.", "u is uniform in [0, 1]: rand, not randn.")
    level, one = (points - points[:, :1]).abs().max() < 1e-5, "One u a sample: torch.rand(N, 1, 1)."
    expect(level, "each coordinate has a number of its own, so the point leaves the line.", one)
    expect(place.std() > 0.01, "all samples share one interpolation number.", one)
    between = ((place > 1e-6) & (place < 1 - 1e-6)).float().mean()
    expect(between > 0.9, "the critic was asked at the ends only, not between them.", "u uniform in [0, 1].")
    even = abs(place.mean() - 0.5) < 0.08 and abs(place.std() - math.sqrt(1 / 12)) < 0.04
    expect(even, "the interpolation numbers are not uniform in [0, 1].", "torch.rand gives uniform numbers.")


def _expect_per_sample(function: Any) -> None:
    """The value for a critic whose slope differs from sample to sample, on images and on points."""
    steep = torch.tensor([0.05, 0.2, 0.6, 0.4])  # norms from 0.2 to 2.5
    for shape in ((2, 3, 3), (18,)):  # the first number of a sample says which slope it gets

        def critic(x: Tensor) -> Tensor:
            flat = x.flatten(1)
            return steep[flat[:, 0].detach().round().long()] * flat[:, 1:].sum(1)

        ends = [torch.randn(4, *shape) for _ in range(2)]
        for end in ends:
            end.view(4, -1)[:, 0] = torch.arange(4.0)
        found = _scalar(attempt(function, critic, *ends)).item()
        norms = steep * math.sqrt(17)
        wanted = (norms - 1).square().mean().item()
        slopes = torch.zeros(4, 18)
        slopes[:, 1:] = steep[:, None]
        for mistake, reason, hint in _penalty_mistakes(slopes.view(4, *shape), norms):
            expect(abs(found - mistake) > 1e-3 * mistake or abs(mistake - wanted) < 1e-3, reason, hint)
        expect(abs(found - wanted) < 1e-3 * wanted, f"it should be {wanted:.3f} here, but is {found:.3f}.", NORM)


NORM = "gradient.flatten(1).norm(dim=1) has one number a sample; then the mean of (norm - 1)^2."


def _penalty_mistakes(slopes: Tensor, norms: Tensor) -> list[tuple[float, str, str]]:
    """Values that wrong formulas give for gradients (N, ...), the reason and a hint."""
    found = [
        ((slopes.norm() - 1) ** 2, "the norm is taken over the whole batch, not sample by sample.", NORM),
        ((slopes.norm(dim=1) - 1).square().mean(), "the norm is taken over the channels only.", NORM),
        ((norms - 1).square().sum(), "this is a sum over the samples.", "The mean over the batch."),
        ((norms.mean() - 1) ** 2, "the norms are averaged before the square, so steep and flat samples cancel.", NORM),
        ((norms.square() - 1).square().mean(), "the norm lacks its root.", NORM),
        (norms.square().mean(), "this pulls the norm to 0, as R1 does. WGAN-GP pulls it to 1.", NORM),
        ((norms - 1).abs().mean(), "the distance from 1 is not squared.", NORM),
        ((norms - 1).clamp_min(0).square().mean(), "norms below 1 go free: that is the one-sided penalty.", NORM),
        (((norms / len(norms)) - 1).square().mean(), "the scores were averaged before the gradient.", "scores.sum()"),
    ]
    return [(float(value), reason, hint) for value, reason, hint in found]


@check
def largest_stretch(function: Any) -> None:
    """The largest singular value by power iteration, of matrices of any shape."""
    for matrix, what in _matrices():
        found = _scalar(attempt(function, matrix.clone(), 200)).item()
        values = torch.linalg.svdvals(matrix)
        wanted = values[0].item()
        mistakes = {
            "is the square of it": wanted**2,
            "is the root of the sum of all squares": values.norm().item(),
            "is the largest row sum": matrix.abs().sum(1).max().item(),
        }
        right = abs(found - wanted) < 1e-2 * wanted
        for mistake, value in mistakes.items():
            expect(right or abs(found - value) > 1e-2, f"{what}: {found:.3f} {mistake}.", STRETCH)
        expect(right, f"{what}: it should be {wanted:.3f}, but is {found:.3f}.", STRETCH)
    matrix = torch.randn(40, 40, generator=torch.Generator().manual_seed(4))  # many singular values of nearly one size
    early, exact = _scalar(attempt(function, matrix, 1)).item(), torch.linalg.svdvals(matrix)[0].item()
    expect(
        early < 0.99 * exact,
        "it is exact after a single round, which power iteration is not: `rounds` is not used, or a function that "
        "computes singular values is.",
        STRETCH,
    )


STRETCH = "Repeat u = W v, v = W^T u, and bring v to length 1 each time; start v at random. At the end |W v|."


def _matrices() -> list[tuple[Tensor, str]]:
    rng = torch.Generator().manual_seed(3)
    turned = torch.tensor([[0.0, -4.0], [1.0, 0.0]])  # its eigenvalues have the size 2
    away = torch.diag(torch.tensor([1.0, 3.0, 2.0]))  # a start along the first axis never leaves it
    across = torch.tensor([[3.0, -3.0], [0.1, 0.1]])  # and a start at (1, 1) is orthogonal to the answer
    return [
        (away, "a diagonal matrix"),
        (across, "a matrix that stretches across (1, 1)"),
        (turned, "a matrix that turns and stretches"),
        (torch.randn(6, 4, generator=rng), "a 6 x 4 matrix"),
        (torch.randn(3, 7, generator=rng), "a 3 x 7 matrix"),
        (30 * torch.eye(3) + torch.ones(3, 3), "a large matrix"),
    ]


def _scalar(value: Any) -> Tensor:
    """The value, if it is one finite number in a tensor."""
    expect_tensor(value, ())
    return value


def _call_in_place(function: Any, *arguments: Any) -> None:
    """Call an answer that need not return anything."""
    try:
        attempt(function, *arguments)
    except NotYet as error:
        if "returned nothing" not in error.problem:
            raise
