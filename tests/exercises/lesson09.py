"""Answers to the exercises of lesson 09: valid ones of another form than the reference, and wrong ones."""

import math
import random

import torch
import torch.nn.functional as F

from gan_course import losses


def turned(points, angle):
    """Points (N, 2), each turned about the origin by its own or by one angle."""
    angle = torch.as_tensor(angle)
    x, y = points.T
    return torch.stack([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], 1)


def stirred(points, back=False):
    """Each ring turns by its own angle."""
    return turned(points, (-3.0 if back else 3.0) * points.norm(dim=1))


def through(there, back):
    """A map and its way back as one function."""
    return lambda points, turn_back=False: back(points) if turn_back else there(points)


def pair_of(cycle, identity):
    return lambda there, back, x, y: (cycle(there, back, x, y), identity(there, back, x, y))


def l1(a, b):
    return (a - b).abs().mean()


def right_cycle(there, back, x, y):
    return l1(back(there(x)), x) + l1(there(back(y)), y)


def right_identity(there, back, x, y):
    return l1(there(y), y) + l1(back(x), x)


def in_one_batch(there, back, x, y):
    """Both of a generator's inputs in one pass, as the package does."""
    n = len(x)
    to_y, to_x = there(torch.cat([x, y])), back(torch.cat([y, x]))
    cycle = F.l1_loss(back(to_y[:n]), x) + F.l1_loss(there(to_x[:n]), y)
    return [cycle, F.l1_loss(to_y[n:], y) + F.l1_loss(to_x[n:], x)]


def by_package(there, back, x, y):
    cycle = losses.cycle_consistency(x, back(there(x)), y, there(back(y)))
    return cycle, losses.identity_mapping(x, back(x), y, there(y))


def no_graph(there, back, x, y):
    return l1(back(there(x).detach()), x) + l1(there(back(y).detach()), y)


def sums(there, back, x, y):
    return (back(there(x)) - x).abs().sum() + (there(back(y)) - y).abs().sum()


def squares(there, back, x, y):
    return (back(there(x)) - x).square().mean() + (there(back(y)) - y).square().mean()


def pool_of(old=0.5, place=None, keep=True, give=True, detach=True, room=True):
    """A pool with one thing done differently."""

    def exchange(pool, fake, capacity, rng):
        fake = fake.detach() if detach else fake
        if len(pool) < capacity and room:
            pool.append(fake)
            return fake
        if torch.rand(1, generator=rng).item() >= old:
            return fake
        i = place if place is not None else torch.randint(len(pool), (1,), generator=rng).item()
        handed_out = pool[i]
        if keep:
            pool[i] = fake
        return handed_out if give else fake

    return exchange


def by_swapping(pool, fake, capacity, rng):
    """A new image joins; then one leaves."""
    fake = fake.detach().clone()
    if len(pool) < capacity:
        pool.append(fake)
        return fake.clone()
    if random.random() < 0.5:
        i = random.randrange(capacity)
        fake, pool[i] = pool[i], fake
    return fake


def by_popping(pool, fake, capacity, rng):
    pool.append(fake.detach())
    if len(pool) <= capacity or torch.rand((), generator=rng) < 0.5:
        return pool[-1] if len(pool) <= capacity else pool.pop()
    return pool.pop(int(torch.randint(capacity, (1,), generator=rng)))


def oldest(pool, fake, capacity, rng):
    pool.append(fake.detach())
    if len(pool) <= capacity:
        return fake.detach()
    return pool.pop(0) if torch.rand(1, generator=rng) < 0.5 else pool.pop()


def grows(pool, fake, capacity, rng):
    pool.append(fake.detach())
    if len(pool) <= capacity or torch.rand(1, generator=rng) < 0.5:
        return fake.detach()
    return pool[int(torch.randint(capacity, (1,), generator=rng))]


def one_place(pool, fake, capacity, rng):
    """Half of the places are never used."""
    if len(pool) < capacity:
        pool.append(fake.detach())
        return fake.detach()
    if torch.rand(1, generator=rng) < 0.5:
        return fake.detach()
    i = int(torch.randint(capacity // 2, (1,), generator=rng))
    out, pool[i] = pool[i], fake.detach()
    return out


def all_but_the_last(pool, fake, capacity, rng):
    """The slip of a randint that ends too early."""
    if len(pool) < capacity:
        pool.append(fake.detach())
        return fake.detach()
    if torch.rand(1, generator=rng) < 0.5:
        return fake.detach()
    i = int(torch.randint(capacity - 1, (1,), generator=rng))
    out, pool[i] = pool[i], fake.detach()
    return out


def star(
    d=lambda r, f, s, t, x, a: domain(r, s),
    g=lambda r, f, s, t, x, a: domain(f, t) + 10 * l1(a, x),
):
    """Both losses, with what is added to the game in two functions."""

    def stargan_losses(on_real, on_fake, source, target, real, again):
        d_loss = on_fake.logits.mean() - on_real.logits.mean()
        parts = (on_real, on_fake, source, target, real, again)
        return d_loss + d(*parts), -on_fake.logits.mean() + g(*parts)

    return stargan_losses


def star_by_logarithms(on_real, on_fake, source, target, real, again):
    p, q = on_real.class_logits.sigmoid(), on_fake.class_logits.sigmoid()
    named = -(source * p.log() + (1 - source) * (1 - p).log()).sum(1).mean()
    asked = -(target * q.log() + (1 - target) * (1 - q).log()).sum(1).mean()
    d_loss = (on_fake.logits - on_real.logits).mean() + named
    return [d_loss, asked - on_fake.logits.mean() + 10 * F.l1_loss(again, real)]


def by_another_game(d_game=None, g_game=None):
    """The right losses, but for the game."""

    def stargan_losses(on_real, on_fake, source, target, real, again):
        d_loss = (d_game or (lambda r, f: f.mean() - r.mean()))(on_real.logits, on_fake.logits)
        g_loss = (g_game or (lambda f: -f.mean()))(on_fake.logits)
        return d_loss + domain(on_real, source), g_loss + domain(on_fake, target) + 10 * l1(again, real)

    return stargan_losses


def domain(judged, attributes, reduction=lambda each: each.sum(1).mean()):
    return reduction(F.binary_cross_entropy_with_logits(judged.class_logits, attributes, reduction="none"))


def competing(judged, attributes):
    return F.cross_entropy(judged.class_logits, attributes)


def squashed(judged, attributes):
    return F.binary_cross_entropy_with_logits(judged.class_logits.sigmoid(), attributes, reduction="sum") / 6


VALID = {
    "mirrored_cycle": [0, 0.0],
    "impostor": [
        stirred,
        lambda points, back=False: points.flip(1),
        lambda points, back=False: -points,
        through(lambda p: turned(p, 1.0), lambda p: turned(p, -1.0)),
    ],
    "two_losses": [in_one_batch, by_package, pair_of(right_cycle, right_identity)],
    "exchange": [by_swapping, by_popping],
    "stargan_losses": [star(), star_by_logarithms],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "mirrored_cycle": [
        (1, "very different images"),
        (0.3, "it is not 0.3"),
        (-1, "never below 0"),
        (math.inf, "very different images"),
        ("large", "should be a number"),
    ],
    "impostor": [
        (lambda p, back=False: p, "the true map, or nearly"),
        (through(lambda p: turned(p, 0.1), lambda p: turned(p, -0.1)), "the true map, or nearly"),
        (through(lambda p: 2 * p, lambda p: p / 2), "2.* times as large"),
        (through(lambda p: p + 1, lambda p: p - 1), "not where it was"),
        (lambda p, back=False: p.flip(0), "by itself"),
        (lambda p, back=False: torch.randn_like(p), "by itself"),
        (lambda p, back=False: (p - p.mean(0)) / p.std(0), "by itself"),
        (lambda p, back=False: 0 * p, "one spot or one line"),
        (lambda p, back=False: p[:, [0, 0]], "another shape"),
        (through(lambda p: turned(p, 1.0), lambda p: turned(p, 1.0)), "misses the start"),
        (through(lambda p: -p, lambda p: p), "misses the start"),
        (lambda p, back=False: p * torch.tensor([1.3, 0.5]), "another shape"),
        (lambda p, back=False: p.abs(), "not where it was"),
        (lambda p, back=False: p[:, 0], r"should have the shape \(6000, 2\)"),
        (lambda p: -p, "raised TypeError"),
        (
            lambda p, back=False: p * 2**0.5 / p.norm(dim=1, keepdim=True),
            "another shape|no longer as dense",
        ),
    ],
    "two_losses": [
        (pair_of(right_identity, right_cycle), "wrong order"),
        (pair_of(lambda g, f, x, y: l1(f(g(x)), x), right_identity), "from one side only: F"),
        (pair_of(lambda g, f, x, y: l1(g(f(y)), y), right_identity), "from one side only: G"),
        (pair_of(right_identity, right_identity), "no image has gone there and back"),
        (pair_of(lambda *a: right_cycle(*a) / 2, right_identity), "divided by two"),
        (pair_of(sums, right_identity), "sum over pixels"),
        (pair_of(squares, right_identity), "the cycle loss squares"),
        (pair_of(lambda g, f, x, y: l1(g(x), y) + l1(f(y), x), right_identity), "needs pairs"),
        (pair_of(lambda g, f, x, y: l1(f(g(x)), y) + l1(g(f(y)), x), right_identity), "other side's images"),
        (pair_of(lambda g, f, x, y: l1(g(x), x) + l1(f(y), y), right_identity), "only copies pass"),
        (pair_of(right_cycle, lambda g, f, x, y: l1(g(y), y)), "of G alone"),
        (pair_of(right_cycle, lambda g, f, x, y: l1(f(x), x)), "of F alone"),
        (pair_of(right_cycle, lambda g, f, x, y: l1(g(x), x) + l1(f(y), y)), "asks for a copy"),
        (pair_of(right_cycle, right_cycle), "the identity loss is the cycle loss"),
        (pair_of(right_cycle, lambda *a: right_identity(*a) / 2), "identity loss is divided"),
        (pair_of(no_graph, right_identity), "gradient that reaches G from the cycle"),
        (pair_of(right_cycle, lambda *a: torch.tensor(right_identity(*a).item())), "no gradient reaches G from the id"),
        (pair_of(lambda *a: right_cycle(*a) + 1, right_identity), "the cycle loss should be"),
        (pair_of(lambda g, f, x, y: l1(g(f(x)), x) + l1(f(g(y)), y), right_identity), "are in the wrong order"),
        (
            pair_of(lambda g, f, x, y: l1(f(g(x)), g(x)) + l1(g(f(y)), f(y)), right_identity),
            "compared with the translation",
        ),
        (pair_of(lambda *a: 10 * right_cycle(*a), right_identity), "multiplied by 10"),
        (pair_of(right_cycle, lambda *a: 5 * right_identity(*a)), "multiplied by 5"),
        (pair_of(lambda g, f, x, y: (f(g(x)) - x).mean() + (g(f(y)) - y).mean(), right_identity), "cancel: take abs"),
        (pair_of(right_cycle, lambda g, f, x, y: (g(y) - y).mean() + (f(x) - x).mean()), "cancel: take abs"),
        (
            pair_of(lambda g, f, x, y: (f(g(x)) - x).mean().abs() + (g(f(y)) - y).mean().abs(), right_identity),
            "in the cycle loss .* before the mean",
        ),
        (
            pair_of(right_cycle, lambda g, f, x, y: (g(y) - y).mean().abs() + (f(x) - x).mean().abs()),
            "in the identity loss .* before the mean",
        ),
        (pair_of(right_cycle, lambda g, f, x, y: l1(f(y), y) + l1(g(x), x)), "asks for a copy|wrong side"),
        (right_cycle, "two losses should be returned"),
    ],
    "exchange": [
        (pool_of(old=0.0), "no old image is ever"),
        (pool_of(old=1.0), "only old images"),
        (pool_of(old=0.8), "it should be half"),
        (pool_of(keep=False), "still in the pool"),
        (pool_of(give=False), "handed out and kept as well"),
        (pool_of(place=-1), "not all places"),
        (all_but_the_last, "a place of the pool is never used"),
        (oldest, "the place is not random"),
        (one_place, "not all places"),
        (grows, "grows beyond"),
        (pool_of(detach=False), "keeps its graph"),
        (lambda pool, fake, capacity, rng: fake.detach(), "every new image should be kept"),
        (lambda pool, fake, capacity, rng: fake, "keeps its graph"),
        (pool_of(room=False, old=1.0), "raised"),
    ],
    "stargan_losses": [
        (star(d=lambda r, f, s, t, x, a: 0), "missing from D's loss"),
        (star(d=lambda r, f, s, t, x, a: domain(f, t)), "from fakes alone"),
        (star(d=lambda r, f, s, t, x, a: domain(r, s) + domain(f, t)), "from fakes too"),
        (star(d=lambda r, f, s, t, x, a: domain(r, s) + domain(f, s)), "still has the attributes"),
        (star(d=lambda r, f, s, t, x, a: domain(r, t)), "it is to get"),
        (star(d=lambda r, f, s, t, x, a: -domain(r, s)), "D's attributes have the wrong sign"),
        (star(d=lambda r, f, s, t, x, a: competing(r, s)), "compete for one place"),
        (star(d=lambda r, f, s, t, x, a: squashed(r, s)), "sigmoid was taken"),
        (star(d=lambda r, f, s, t, x, a: domain(r, s) / 5), "not their sum"),
        (star(d=lambda r, f, s, t, x, a: 6 * domain(r, s)), "a sum over images"),
        (star(d=lambda r, f, s, t, x, a: domain(r, s) + 10 * l1(a, x)), "does not touch"),
        (star(g=lambda r, f, s, t, x, a: 10 * l1(a, x)), "missing from G's loss: it need not obey"),
        (star(g=lambda r, f, s, t, x, a: domain(f, t)), "any face with the attributes"),
        (star(g=lambda r, f, s, t, x, a: domain(f, s) + 10 * l1(a, x)), "keeping the attributes"),
        (star(g=lambda r, f, s, t, x, a: domain(r, s) + 10 * l1(a, x)), "no influence"),
        (star(g=lambda r, f, s, t, x, a: domain(f, t) + l1(a, x)), "has no weight"),
        (star(g=lambda r, f, s, t, x, a: 10 * l1(a, x) - domain(f, t)), "G's attributes have the wrong sign"),
        (star(g=lambda r, f, s, t, x, a: domain(f, t) / 5 + 10 * l1(a, x)), "not their sum"),
        (star(g=lambda r, f, s, t, x, a: competing(f, t) + 10 * l1(a, x)), "compete for one place"),
        (star(g=lambda r, f, s, t, x, a: squashed(f, t) + 10 * l1(a, x)), "sigmoid was taken"),
        (star(g=lambda r, f, s, t, x, a: domain(f, t) + 10 * (a - x).square().mean()), "is squared"),
        (star(g=lambda r, f, s, t, x, a: domain(f, t) - 10 * l1(a, x)), "reconstruction has the wrong sign"),
        (star(g=lambda r, f, s, t, x, a: domain(f, t) + 10 * l1(a.detach(), x)), "no gradient|is not right"),
        (lambda *parts: star()(*parts)[0], "two losses should be returned"),
        (lambda *parts: star()(*parts)[::-1], "returned in the wrong order"),
        (by_another_game(lambda r, f: r.mean() - f.mean()), "real and fake the wrong way round"),
        (by_another_game(g_game=lambda f: f.mean()), "paid for being found out"),
        (by_another_game(lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean()), "that of section 10"),
        (by_another_game(g_game=lambda f: F.softplus(-f).mean()), "that of section 10"),
        (star(g=lambda r, f, s, t, x, a: 3 * domain(f, t)), "G's loss should be"),
    ],
}
