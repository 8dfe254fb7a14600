"""Checks for the exercises of lesson 09."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course.checks.framework import attempt, check, expect, expect_number, expect_tensor, gradient_of
from gan_course.networks import StarGANLogits


@check
def mirrored_cycle(guess: Any) -> None:
    """The cycle loss of a pair that mirrors there and mirrors back: 0."""
    guess = expect_number(guess, "the guess", "Write for example `guess = 0.5`.")
    hint = "Write x, and under it what G makes of it, and under that what F makes of that. How far is the last from x?"
    expect(guess >= 0, "a mean of absolute differences is never below 0.", hint)
    expect(
        guess < 1, f"{guess:g} is what very different images are apart. But what are compared are x and F(G(x)).", hint
    )
    expect(guess == 0, f"it is not {guess:g}: mirrored twice, each pixel is back in its place.", hint)


@check
def impostor(function: Any) -> None:
    """A map of the plane, and its way back, that turns N(0, I) into itself and is not the identity."""
    points = torch.randn(6000, 2)
    moved = attempt(function, points.clone())
    expect_tensor(moved, (6000, 2), "the moved points")
    alone = attempt(function, points[:7].clone())
    expect_tensor(alone, (7, 2), "7 moved points")
    by_itself = "a point's way depends on chance or on the other points. A generator maps each by itself, always alike."
    expect(_close(alone, moved[:7]), by_itself, "Use x and y of the point and nothing else.")
    _expect_same_cloud(moved)
    again = attempt(function, moved.clone(), True)
    expect_tensor(again, (6000, 2), "the points brought back")
    error = (again - points).abs().mean().item()
    hint = (
        "With back=True the function has to undo what it does with back=False; to turn back, turn by minus the angle."
    )
    expect(
        error < 1e-3, f"there and back again misses the start by {error:.2f} on average: the cycle would tell.", hint
    )
    away = (moved - points).abs().mean().item()
    true = f"this is the true map, or nearly: the points end {away:.2f} from where they belong. Find a wrong one."
    expect(away > 0.2, true, "Which moves of the plane leave a round cloud as it is?")


def _expect_same_cloud(moved: Tensor) -> None:
    hint = "The cloud is round, with its middle at 0 and a spread of 1 in every direction. Turn it, mirror it, stir it."
    std = moved.std(0)
    expect(std.min() > 0.05, "all points end on one spot or one line: D would tell at once.", hint)
    expect(moved.mean(0).abs().max() < 0.1, "the cloud is not where it was: D would tell at once.", hint)
    size = moved.square().mean().sqrt().item()
    expect(abs(size - 1) < 0.07, f"the cloud is {size:.2f} times as large as it was: D would tell at once.", hint)
    levels = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95], dtype=torch.float64)
    normal = torch.distributions.Normal(0.0, 1.0).icdf(levels)
    for angle in torch.arange(8) * math.pi / 8:
        seen = moved.double() @ torch.stack([angle.cos(), angle.sin()]).double()
        off = (seen.quantile(levels) - normal).abs().max()
        expect(off < 0.12, "seen from some side the cloud has another shape than before: D would tell.", hint)
    radius = moved.double().norm(dim=1).quantile(levels)
    off = (radius - (-2 * (1 - levels).log()).sqrt()).abs().max()
    expect(off < 0.12, "the cloud is no longer as dense near its middle as it was: D would tell.", hint)


@check
def two_losses(function: Any) -> None:
    """(cycle, identity) of two generators on inputs and targets that are no pairs."""
    rng = torch.Generator().manual_seed(3)
    x, y = (torch.rand(4, 3, 8, 8, generator=rng) * 2 - 1 for _ in range(2))
    p, q = (torch.tensor(value, requires_grad=True) for value in (0.7, 0.4))

    def there(images: Tensor) -> Tensor:
        return torch.tanh(p * images + 0.3)

    def back(images: Tensor) -> Tensor:
        return q * images.flip(3) - 0.1

    result = attempt(function, there, back, x, y)
    two = isinstance(result, tuple | list) and len(result) == 2
    expect(two, "two losses should be returned.", "return cycle, identity")
    for what, value in zip(("the cycle loss", "the identity loss"), result, strict=True):
        expect_tensor(value, (), what)
    cycle, identity = (value.item() for value in result)
    forward, backward = _l1(back(there(x)), x), _l1(there(back(y)), y)
    same_y, same_x = _l1(there(y), y), _l1(back(x), x)
    right_cycle, right_identity = forward + backward, same_y + same_x
    hint = "Cycle: |F(G(x)) - x| + |G(F(y)) - y|. Identity: |G(y) - y| + |F(x) - x|. Each |.| a mean over everything."
    swapped = _alike(cycle, right_identity) and _alike(identity, right_cycle)
    expect(not swapped, "the two losses are returned in the wrong order.", hint)
    squares = [
        (a - b).square().mean() for a, b in ((back(there(x)), x), (there(back(y)), y), (there(y), y), (back(x), x))
    ]
    for mistake, problem in [
        (forward, "the cycle loss goes round from one side only: F(G(x)). From the other side it is G(F(y))."),
        (backward, "the cycle loss goes round from one side only: G(F(y)). From the other side it is F(G(x))."),
        (right_identity, "the cycle loss is the identity loss: no image has gone there and back."),
        (right_cycle / 2, "the cycle loss is divided by two: it is the sum of both sides' means."),
        (right_cycle * x.numel(), "the cycle loss is a sum over pixels; each side is a mean."),
        (squares[0] + squares[1], "the cycle loss squares the differences; CycleGAN takes absolute values."),
        (_l1(there(x), y) + _l1(back(y), x), "translations are compared with the other side: that needs pairs."),
        (_l1(back(there(x)), y) + _l1(there(back(y)), x), "what came back is compared with the other side's images."),
        (
            _l1(there(x), x) + _l1(back(y), y),
            "translations are compared with what they were made of: only copies pass.",
        ),
        (
            _l1(there(back(x)), x) + _l1(back(there(y)), y),
            "the generators of the cycle loss are in the wrong order: x goes through G first, back(there(x)).",
        ),
        (
            _l1(back(there(x)), there(x)) + _l1(there(back(y)), back(y)),
            "what came back is compared with the translation; compare it with the start.",
        ),
        (10 * right_cycle, "the cycle loss is multiplied by 10; the weight is not part of it here."),
        (
            (back(there(x)) - x).mean() + (there(back(y)) - y).mean(),
            "in the cycle loss differences above and below 0 cancel: take abs() of each, before the mean.",
        ),
        (
            (back(there(x)) - x).mean().abs() + (there(back(y)) - y).mean().abs(),
            "in the cycle loss differences above and below 0 cancel: take abs() of each, before the mean.",
        ),
    ]:
        expect(not _alike(cycle, mistake), problem, hint)
    for mistake, problem in [
        (same_y, "the identity loss is of G alone; F should leave x alone too."),
        (same_x, "the identity loss is of F alone; G should leave y alone too."),
        (
            _l1(there(x), x) + _l1(back(y), y),
            "the identity loss shows G its inputs, and so asks for a copy. Show it y.",
        ),
        (right_cycle, "the identity loss is the cycle loss: nothing should go there and back here."),
        (5 * right_identity, "the identity loss is multiplied by 5; the weight is not part of it here."),
        (
            (there(y) - y).mean() + (back(x) - x).mean(),
            "in the identity loss differences above and below 0 cancel: take abs() of each, before the mean.",
        ),
        (
            (there(y) - y).mean().abs() + (back(x) - x).mean().abs(),
            "in the identity loss differences above and below 0 cancel: take abs() of each, before the mean.",
        ),
        (
            _l1(back(y), y) + _l1(there(x), x),
            "the identity loss shows each generator the images of the wrong side: G leads to y, so show it y.",
        ),
        (right_identity / 2, "the identity loss is divided by two: it is the sum of both sides' means."),
        (right_identity * x.numel(), "the identity loss is a sum over pixels; each side is a mean."),
        (squares[2] + squares[3], "the identity loss squares the differences; CycleGAN takes absolute values."),
    ]:
        expect(not _alike(identity, mistake), problem, hint)
    for what, value, wanted in (("cycle", result[0], right_cycle), ("identity", result[1], right_identity)):
        close = abs(value.item() - wanted.item()) < 1e-4
        expect(close, f"the {what} loss should be {wanted.item():.4f} here, but is {value.item():.4f}.", hint)
        for name, place in (("G", p), ("F", q)):
            _expect_gradient(value, place, wanted, f"{name} from the {what} loss")


@check
def exchange(function: Any) -> None:
    """One image at a time through a pool: kept until it is full, then half of them against old ones."""
    capacity, rng = 20, torch.Generator().manual_seed(4)
    pool: list[Tensor] = []
    for number in range(capacity):
        out = _handed_out(function, pool, number, capacity, rng)
        expect(
            out == number, "while there is room, the new image should be handed out itself.", "And kept in the pool."
        )
        kept = len(pool) == number + 1
        expect(kept, "while there is room, every new image should be kept.", "pool.append(...)")
    ages, news = [], 4000
    hint = (
        "When full: with probability 1/2 hand out the new image; else a random old one, whose place the new one takes."
    )
    for number in range(capacity, capacity + news):
        before = Counter(_numbers(pool))
        out = _handed_out(function, pool, number, capacity, rng)
        full = "the pool grows beyond its capacity." if len(pool) > capacity else "the pool shrinks."
        expect(len(pool) == capacity, full, "The new image takes the place of the one that is handed out.")
        after = Counter(_numbers(pool))
        expect(out == number or out in before, "an image was handed out that was neither new nor in the pool.", hint)
        if out == number:
            unchanged = "the new image was handed out and kept as well; when it is handed out, the pool stays as it is."
            expect(after == before, unchanged, hint)
        else:
            stays = "the old image was handed out, but it is still in the pool."
            expect(after[out] == before[out] - 1, stays, "It changes places with the new one.")
            ages.append(number - out)
    share = len(ages) / news
    expect(share > 0, "no old image is ever handed out: D sees the newest only, as without a pool.", hint)
    expect(share < 1, "only old images are handed out: D never sees the newest.", hint)
    expect(abs(share - 0.5) < 0.05, f"{share:.0%} of the images handed out are old; it should be half.", hint)
    age = torch.tensor(ages, dtype=torch.float64)
    random = "the place is not random: always the oldest, or always the newest image is handed out."
    expect(0.6 < age.std() / age.mean() < 1.4, random, "torch.randint(len(pool), (1,), generator=rng).item()")
    expect(abs(age.mean() / (2 * capacity) - 1) < 0.2, "not all places of the pool are as likely.", hint)
    stuck = "a place of the pool is never used: an image from the very start is still there."
    expect(min(_numbers(pool)) >= capacity, stuck, "torch.randint(n, (1,)) draws from 0 to n - 1.")


def _handed_out(function: Any, pool: list, number: int, capacity: int, rng: torch.Generator) -> int:
    """What the pool gives for an image that is all `number`; it must not have a gradient."""
    image = torch.full((1, 2, 2), float(number), requires_grad=True) * 1.0
    out = attempt(function, pool, image, capacity, rng)
    expect_tensor(out, (1, 2, 2), "the image that is handed out")
    graph = "an image keeps its graph: D's step would run back into G, and old graphs fill the memory."
    expect(not out.requires_grad and not any(old.requires_grad for old in pool), graph, "fake.detach()")
    return int(out.flatten()[0])


def _numbers(pool: list) -> list[int]:
    return [int(image.flatten()[0]) for image in pool]


@check
def stargan_losses(function: Any) -> None:
    """D's and G's losses where several domains may hold at once: the critic's game, attributes, the reconstruction."""
    rng = torch.Generator().manual_seed(5)
    tensors = [torch.randn(6, *shape, generator=rng) for shape in ((1, 3, 3), (5,), (1, 3, 3), (5,))]
    on_real, on_fake = StarGANLogits(*tensors[:2]), StarGANLogits(*tensors[2:])
    source, target = (torch.randint(2, (6, 5), generator=rng).float() for _ in range(2))
    real, again = (torch.rand(6, 1, 8, 8, generator=rng) * 2 - 1 for _ in range(2))
    wanted = [tensor.requires_grad_(True) for tensor in (*tensors, again)]
    result = attempt(function, on_real, on_fake, source, target, real, again)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two losses should be returned, D's and G's.", "return d_loss, g_loss")
    for name, loss in zip("DG", result, strict=True):
        expect_tensor(loss, (), f"{name}'s loss")
    d_game, g_game = on_fake.logits.mean() - on_real.logits.mean(), -on_fake.logits.mean()
    named, obeyed = _attributes(on_real.class_logits, source), _attributes(on_fake.class_logits, target)
    rebuilt = _l1(again, real)
    hint = "D: mean of fakes - mean of real + the attributes of real images. G: - mean of fakes + the attributes asked "
    hint += "for + 10 times the mean absolute difference between again and real."
    d_right, g_right = d_game + named, g_game + obeyed + 10 * rebuilt
    swapped = _alike(result[0].item(), g_right) and _alike(result[1].item(), d_right)
    expect(not swapped, "the two losses are returned in the wrong order.", "return d_loss, g_loss")
    turned = (
        "D's game has real and fake the wrong way round: the critic is to say much of real images, little of fakes."
    )
    expect(not _alike(result[0].item(), named - d_game), turned, hint)
    flees = "G's game has the wrong sign: it would be paid for being found out."
    expect(not _alike(result[1].item(), obeyed - g_game + 10 * rebuilt), flees, hint)
    section_10 = "the game is that of section 10; here it is the critic's, means of logits and no softplus."
    d_other = F.softplus(-on_real.logits).mean() + F.softplus(on_fake.logits).mean()
    g_other = F.softplus(-on_fake.logits).mean()
    for loss, other in ((result[0], d_other + named), (result[1], g_other + obeyed + 10 * rebuilt)):
        expect(not _alike(loss.item(), other), section_10, hint)
    of_fakes, no_sum = _attributes(on_fake.class_logits, source), "a mean over attributes, not their sum: divided by 5."
    again_taken = "sigmoid was taken before a function that takes it again."
    one_of_five = "cross_entropy lets the attributes compete for one place; here each is a question of its own."
    _reject(result[0] - d_game, hint, [
        (0 * named, "the attributes are missing from D's loss: nobody would learn to name them."),
        (obeyed, "D learns attributes from fakes alone, which are not yet what they were asked to be."),
        (named + obeyed, "D learns attributes from fakes too. Early ones do not have those asked for: a wrong label."),
        (named + of_fakes, "D is told that a fake still has the attributes of the image that it came from."),
        (_attributes(on_real.class_logits, target), "D is told that a real image has the attributes it is to get."),
        (-named, "D's attributes have the wrong sign: it would learn to name them wrongly."),
        (named / 5, no_sum),
        (6 * named, "a sum over images, too; of those take the mean."),
        (F.cross_entropy(on_real.class_logits, source), one_of_five),
        (_attributes(on_real.class_logits.sigmoid(), source), again_taken),
        (named + 10 * rebuilt, "the reconstruction stands in D's loss, whose parameters it does not touch."),
    ])  # fmt: skip
    squared = (again - real).square().mean()
    twice = _attributes(on_fake.class_logits.sigmoid(), target)
    _reject(result[1] - g_game, hint, [
        (10 * rebuilt, "the attributes are missing from G's loss: it need not obey."),
        (obeyed, "the reconstruction is missing from G's loss: any face with the attributes would do."),
        (of_fakes + 10 * rebuilt, "G is paid for keeping the attributes that the image came with."),
        (named + 10 * rebuilt, "G's attributes are those of the real images, on which it has no influence."),
        (obeyed + rebuilt, "the reconstruction in G's loss has no weight; it is 10."),
        (obeyed + 10 * squared, "the reconstruction is squared; StarGAN takes absolute values."),
        (obeyed - 10 * rebuilt, "the reconstruction has the wrong sign."),
        (10 * rebuilt - obeyed, "G's attributes have the wrong sign: it would flee what was asked for."),
        (obeyed / 5 + 10 * rebuilt, no_sum),
        (F.cross_entropy(on_fake.class_logits, target) + 10 * rebuilt, one_of_five),
        (twice + 10 * rebuilt, again_taken),
    ])  # fmt: skip
    rights = {"D": d_right, "G": g_right}
    for (name, right), loss in zip(rights.items(), result, strict=True):
        close = abs(loss.item() - right.item()) < 1e-4
        expect(close, f"{name}'s loss should be {right.item():.4f} here, but is {loss.item():.4f}.", hint)
    names = (
        "real images' logits",
        "real images' class_logits",
        "fakes' logits",
        "fakes' class_logits",
        "reconstruction",
    )
    for (name, right), loss, reached in zip(rights.items(), result, ((0, 1, 2), (2, 3, 4)), strict=True):
        for i in reached:
            _expect_gradient(loss, wanted[i], right, f"the {names[i]} from {name}'s loss")


def _attributes(logits: Tensor, wanted: Tensor) -> Tensor:
    """Binary cross-entropy, of logits and wanted (N, K): the sum over the attributes, the mean over the images."""
    return F.binary_cross_entropy_with_logits(logits, wanted, reduction="sum") / len(logits)


def _reject(found: Tensor, hint: str, mistakes: list[tuple[Tensor, str]]) -> None:
    """None of the mistakes is what was found beside the game."""
    for mistake, problem in mistakes:
        expect(not _alike(found.item(), mistake), problem, hint)


def _alike(found: float, mistake: Tensor) -> bool:
    return abs(found - mistake.item()) < 1e-4 * max(1.0, abs(found))


def _l1(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().mean()


def _close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, atol=1e-4)


def _expect_gradient(value: Tensor, place: Tensor, right: Tensor, what: str) -> None:
    """The gradient of the value reaches `place`, and is that of the right value."""
    hint = "No .item(), .detach(), no_grad or torch.tensor(...) on the way."
    found = gradient_of(value, place)
    expect(found is not None, f"no gradient reaches {what}.", hint)
    expect(
        _close(found, gradient_of(right, place)),
        f"the gradient that reaches {what} is not right, though the value is.",
        hint,
    )
