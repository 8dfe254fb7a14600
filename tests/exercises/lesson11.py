"""Answers to the exercises of lesson 11: others that are valid, and wrong ones with what the check must say."""

import math

import torch
import torch.nn.functional as F

NAMES = {"math": math}


def mean_and_std(std, sign=1.0):
    return lambda mean, log_variance, noise: mean + sign * std(log_variance) * noise


def own_noise(mean, log_variance, noise):
    return mean + (log_variance / 2).exp() * torch.randn(mean.shape)


def by_distribution(mean, log_variance, noise):
    """The quantile of a normal distribution where N(0, 1) has the noise."""
    q = torch.distributions.Normal(mean.double(), (log_variance.double() / 2).exp())
    return q.icdf(torch.special.ndtr(noise.double())).float()


def bound(kl=lambda m, s: 0.5 * (m**2 + s.exp() - s - 1).sum(1), join=lambda r, k: r - k):
    return lambda reconstruction, mean, log_variance: join(reconstruction, kl(mean, log_variance))


def bound_by_torch(reconstruction, mean, log_variance):
    q = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    return reconstruction - torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)


def bound_in_a_loop(reconstruction, mean, log_variance):
    parts = []
    for r, m, s in zip(reconstruction, mean, log_variance, strict=True):
        parts.append(r + 0.5 * torch.sum(1 + s - m.pow(2) - s.exp()))
    return torch.stack(parts)


def bound_after_backward(*places):
    result = bound()(*places)
    result.sum().backward()
    return result


def coin(p, rng):
    return (torch.rand(p.shape, generator=rng) < p).float()


def gibbs(first=coin, second=coin, b=1.0, c=1.0):
    """Both half steps, with one thing changed."""

    def function(v, weight, visible_bias, hidden_bias, rng):
        h = first(torch.sigmoid(v @ weight + c * hidden_bias), rng)
        return second(torch.sigmoid(h @ weight.T + b * visible_bias), rng)

    return function


def gibbs_by_linear(v, weight, visible_bias, hidden_bias, rng):
    h = torch.bernoulli(F.linear(v, weight.T, hidden_bias).sigmoid(), generator=rng)
    return torch.bernoulli(F.linear(h, weight, visible_bias).sigmoid(), generator=rng)


def gibbs_by_difference(v, weight, visible_bias, hidden_bias, rng):
    """A bit is on where the log odds are larger than logistic noise."""
    u = torch.rand(len(v), weight.shape[1], generator=rng)
    h = (v @ weight + hidden_bias > torch.logit(u)).int()
    u = torch.rand(len(v), weight.shape[0], generator=rng)
    return (h.float() @ weight.T + visible_bias > torch.logit(u)).int()


def gibbs_of_the_first(v, weight, visible_bias, hidden_bias, rng):
    return gibbs()(v[:1].expand_as(v), weight, visible_bias, hidden_bias, rng)


def gibbs_without_sigmoid(v, weight, visible_bias, hidden_bias, rng):
    return coin(coin(v @ weight + hidden_bias, rng) @ weight.T + visible_bias, rng)


def gibbs_twice(v, *machine):
    return gibbs()(gibbs()(v, *machine), *machine)


def one_number_a_chain(p, rng):
    return (torch.rand(len(p), 1, generator=rng) < p).float()


def one_number_a_bit(p, rng):
    return (torch.rand(p.shape[1], generator=rng) < p).float()


def with_a_generator_of_its_own(p, rng):
    return torch.bernoulli(p, generator=torch.Generator().manual_seed(7))


def gibbs_with_a_seed_inside(v, weight, visible_bias, hidden_bias, rng):
    torch.manual_seed(0)
    return gibbs(*[lambda p, rng: torch.bernoulli(p)] * 2)(v, weight, visible_bias, hidden_bias, rng)


def gibbs_by_softmax(v, weight, visible_bias, hidden_bias, rng):
    h = coin(torch.softmax(v @ weight + hidden_bias, 1), rng)
    return coin(torch.softmax(h @ weight.T + visible_bias, 1), rng)


def greater(p, rng):
    return (torch.rand(p.shape, generator=rng) > p).float()


def layer(
    second=lambda y, s, t: (y - t) * (-s).exp(),
    log_det=lambda s: -s.flatten(1).sum(1),
    asked=0,
    order=(0, 1),
    change=1,
):
    """The way back with one thing changed; `asked` and `change`: which half the network sees, and which is changed."""

    def function(y, network):
        halves = list(y.chunk(2, 1))
        log_scale, shift = network(halves[asked])
        halves[change] = second(halves[change], log_scale, shift)
        return torch.cat([halves[i] for i in order], 1), log_det(log_scale)

    return function


def layer_in_place(y, network):
    x = y.clone()
    channels = y.shape[1] // 2
    log_scale, shift = network(y[:, :channels])
    x[:, channels:] = torch.exp(-log_scale) * (y[:, channels:] - shift)
    return [x, -torch.einsum("nchw->n", log_scale)]


def layer_by_quotient(y, network):
    kept, changed = torch.split(y, y.shape[1] // 2, 1)
    log_scale, shift = network(kept)
    scale = log_scale.exp()
    return torch.cat((kept, (changed - shift) / scale), dim=1), (1 / scale).flatten(1).prod(1).log()


def layer_as_in_the_lesson(y, network):
    """A copy of section 3.4, turned round."""
    kept, changed = y.chunk(2, 1)
    log_scale, shift = network(kept).chunk(2, 1)
    return torch.cat([kept, (changed - shift) * (-log_scale).exp()], 1), -log_scale.flatten(1).sum(1)


def first_half_moved(y, network):
    x, log_determinant = layer()(y, network)
    return torch.cat([2 * x[:, :3], x[:, 3:]], 1), log_determinant


def bounded(y, s, t):
    return (y - t) * (-2 * torch.tanh(s / 2)).exp()


def ddim(
    move=lambda x_t, e, a, c: c.sqrt() * (x_t - (1 - a).sqrt() * e) / a.sqrt() + (1 - c).sqrt() * e,
    shape=(-1, 1, 1, 1),
    told=lambda t, s: t,
    shift=(0, 0),
):
    """A step with one thing changed; move(x_t, noise, alpha_bar at t, alpha_bar at s)."""

    def function(network, x_t, t, s, alpha_bar):
        now, then = (alpha_bar[time + by].view(shape) for time, by in zip((t, s), shift, strict=True))
        return move(x_t, network(x_t, told(t, s)), now, then)

    return function


def roots(first, second, third, fourth):
    """The step with some roots missing."""

    def move(x_t, e, a, c):
        a, b, c, d = (v.sqrt() if root else v for v, root in zip((a, 1 - a, c, 1 - c), flags, strict=True))
        return c * (x_t - b * e) / a + d * e

    flags = (first, second, third, fourth)
    return ddim(move)


def ddim_by_ratio(network, x_t, t, s, alpha_bar):
    """x_s = r x_t + (sqrt(1 - a_s) - r sqrt(1 - a_t)) noise with r = sqrt(a_s / a_t)."""
    ratio = (alpha_bar[s] / alpha_bar[t]).sqrt()
    rest = (1 - alpha_bar[s]).sqrt() - ratio * (1 - alpha_bar[t]).sqrt()
    return torch.einsum("n,nchw->nchw", ratio, x_t) + torch.einsum("n,nchw->nchw", rest, network(x_t, t))


def ddim_in_a_loop(network, x_t, t, s, alpha_bar):
    parts = []
    for x, e, a, c in zip(x_t, network(x_t, t), alpha_bar[t].tolist(), alpha_bar[s].tolist(), strict=True):
        parts.append(c**0.5 * (x - (1 - a) ** 0.5 * e) / a**0.5 + (1 - c) ** 0.5 * e)
    return torch.stack(parts)


def ddim_asks_twice(network, x_t, t, s, alpha_bar):
    now, then = alpha_bar[t].view(-1, 1, 1, 1), alpha_bar[s].view(-1, 1, 1, 1)
    image = (x_t - (1 - now).sqrt() * network(x_t, t)) / now.sqrt()
    return then.sqrt() * image + (1 - then).sqrt() * network(image, s)


def ddim_with_fresh_noise(x_t, e, a, c):
    return c.sqrt() * image_from(x_t, e, a) + (1 - c).sqrt() * torch.randn_like(x_t)


def ddim_of_v(x_t, v, a, c):
    e = (1 - a).sqrt() * x_t + a.sqrt() * v
    return c.sqrt() * image_from(x_t, e, a) + (1 - c).sqrt() * e


def divided_by_the_wrong_root(x_t, e, a, c):
    return c.sqrt() * (x_t - (1 - a).sqrt() * e) / (1 - a).sqrt() + (1 - c).sqrt() * e


def clamped_as_in_the_package(x_t, e, a, c):
    image = image_from(x_t, e, a).clamp(-1, 1)
    return c.sqrt() * image + (1 - c).sqrt() * (x_t - a.sqrt() * image) / (1 - a).sqrt()


def ddim_of_the_first_time(network, x_t, t, s, alpha_bar):
    now, then = alpha_bar[t[0]], alpha_bar[s[0]]
    e = network(x_t, t)
    return then.sqrt() * image_from(x_t, e, now) + (1 - then).sqrt() * e


def ddim_without_alpha_bar(network, x_t, t, s, alpha_bar):
    now, then, e = t.view(-1, 1, 1, 1), s.view(-1, 1, 1, 1), network(x_t, t)
    return then.sqrt() * image_from(x_t, e, now) + (1 - then).sqrt() * e


def image_from(x_t, e, a):
    return (x_t - (1 - a).sqrt() * e) / a.sqrt()


VALID = {
    "noise_share": [0.0085, 0.009, torch.tensor(0.00847)],
    "reparameterise": [
        mean_and_std(lambda s: s.exp().sqrt()),
        mean_and_std(lambda s: s.exp() ** 0.5),
        by_distribution,
    ],
    "elbo": [bound_by_torch, bound_in_a_loop, bound(join=lambda r, k: -(k - r))],
    "gibbs_step": [gibbs_by_linear, gibbs_by_difference, gibbs()],
    "coupling_inverse": [layer_in_place, layer_by_quotient],
    "ddim_step": [ddim_by_ratio, ddim_in_a_loop],
}

WRONG = {
    "noise_share": [
        (6.64, "bits of a whole image"),
        (4.6, "nats, of a whole image"),
        (0.00587, "nats a pixel"),
        (7.9, "more than it costs.*sum of two densities"),
        (0.5, "more than it costs"),
        (0.0001, "less than the most"),
        (0.01, "how often the good model draws"),
        (8 / 784, "one pixel costs by a blind guess"),
        (2 / 784, "logarithm to the base 10"),
        (-math.log2(0.99) / 784, "the term of the noise"),
        (float("nan"), "finite number, but is nan"),
        (-0.1, "no negative number"),
        ("little", "should be a number"),
    ],
    "reparameterise": [
        (mean_and_std(torch.exp), "by the variance and not"),
        (mean_and_std(lambda s: s), "by the logarithm of the variance"),
        (mean_and_std(lambda s: 0.5 * s), "an exp is missing"),
        (mean_and_std(lambda s: (-0.5 * s).exp()), "divided by the standard deviation"),
        (mean_and_std(lambda s: (2 * s).exp()), "square of the variance"),
        (mean_and_std(torch.ones_like), "spread by 1"),
        (mean_and_std(lambda s: s.abs().sqrt()), "take exp first"),
        (mean_and_std(lambda s: s.sqrt()), "NaN or infinity in the codes.*is a logarithm already"),
        (mean_and_std(lambda s: (0.5 * s).exp(), sign=-1), "subtracted"),
        (mean_and_std(lambda s: s.exp() / 2), "half the variance"),
        (mean_and_std(lambda s: s.exp() + 1), "are not mean"),
        (own_noise, "noise of your own"),
        (lambda m, s, e: torch.normal(m, (s / 2).exp()), "noise of your own"),
        (lambda m, s, e: torch.distributions.Normal(m, (s / 2).exp()).rsample(), "noise of your own"),
        (lambda m, s, e: m, "do not change with the noise"),
        (lambda m, s, e: (0.5 * s).exp() * e, "the mean is missing"),
        (lambda m, s, e: (0.5 * s).exp() * (m + e), "multiplied by the standard deviation too"),
        (lambda m, s, e: (m + (0.5 * s).exp() * e).detach(), "no gradient reaches the mean"),
        (lambda m, s, e: m + (0.5 * s.detach()).exp() * e, "no gradient reaches the log variance"),
        (lambda m, s, e: (m + (0.5 * s).exp() * e).sum(1), r"should have the shape \(6, 3\)"),
    ],
    "elbo": [
        (bound(join=lambda r, k: r + k), "the KL is added"),
        (bound(join=lambda r, k: k - r), "minus the bound"),
        (bound(join=lambda r, k: (r - k).mean()), "one number for the whole batch"),
        (bound(join=lambda r, k: r - k.sum()), "of all images was added up"),
        (bound(join=lambda r, k: r - k.mean()), "each has its own"),
        (bound(join=lambda r, k: r), "the KL is missing"),
        (bound(join=lambda r, k: -k), "the reconstruction is missing"),
        (bound(lambda m, s: (m**2 + s.exp() - s - 1).sum(1)), "factor 1/2"),
        (bound(lambda m, s: 0.5 * (m**2 + s.exp() - s - 1).mean(1)), "it is a sum"),
        (bound(lambda m, s: 0.5 * (m**2 + s.exp() - s).sum(1)), "-1 of the KL is missing"),
        (bound(lambda m, s: 0.5 * (m**2 + s.exp() + s - 1).sum(1)), "wrong sign in the KL"),
        (bound(lambda m, s: 0.5 * (m**2 + (0.5 * s).exp() - s - 1).sum(1)), "standard deviation stands"),
        (bound(lambda m, s: 0.5 * (m**2 + (2 * s).exp() - 2 * s - 1).sum(1)), "logarithm of a standard deviation"),
        (bound(lambda m, s: 0.5 * (m**2 + s.exp() ** 2 - s - 1).sum(1)), "variance is squared"),
        (bound(lambda m, s: 0.25 * (m**2 + s.exp() - s - 1).sum(1)), "halved twice"),
        (bound(lambda m, s: 0.5 * ((m**2 + 1) / s.exp() + s - 1).sum(1)), "KL of the prior from q"),
        (bound(lambda m, s: 0.5 * (m**2 + s.exp() - s - 1).mean()), "one mean over batch and code"),
        (bound(lambda m, s: m.abs().sum(1)), "not reconstruction - KL"),
        (bound(lambda m, s: 0.5 * (m.abs() + s.exp() - s - 1).sum(1)), "not squared"),
        (bound(join=lambda r, k: k), "the KL alone"),
        (bound(join=lambda r, k: r.mean() - k), "mean reconstruction of all images"),
        (bound(lambda m, s: 0.5 * (m**2 + s.exp() - s.log() - 1).sum(1)), "is a logarithm already"),
        (bound(lambda m, s: 0.5 * (m**2 - 1).sum(1)), "variance term is missing"),
        (bound(lambda m, s: 0.5 * (m + s.exp() - s - 1).sum(1)), "not squared"),
        (bound(lambda m, s: 0.5 * (m**2 + s.exp() - s - 1)), "raised RuntimeError|should have the shape"),
        (bound(join=lambda r, k: r - k.detach()), "no gradient reaches the mean"),
        (bound(join=lambda r, k: r.detach() - k), "no gradient reaches the reconstruction"),
        (bound_after_backward, "no gradient can be taken"),
    ],
    "gibbs_step": [
        (gibbs(second=lambda p, rng: p), "no bits: probabilities"),
        (gibbs(first=lambda p, rng: p), "hidden bits are not drawn"),
        (gibbs(first=lambda p, rng: (p > 0.5).float()), "rounded and not drawn"),
        (gibbs(*[lambda p, rng: (p > 0.5).float()] * 2), "all chains do the same"),
        (gibbs(greater, greater), "greater"),
        (gibbs(greater), "wrong probabilities"),
        (gibbs(c=0.0), "hidden bias is missing"),
        (gibbs(b=0.0), "visible bias is missing"),
        (gibbs(b=0.0, c=0.0), "both biases are missing"),
        (gibbs_by_softmax, "a softmax shares"),
        (gibbs_with_a_seed_inside, "same visible bits"),
        (gibbs(second=with_a_generator_of_its_own), "same visible bits"),
        (gibbs(first=with_a_generator_of_its_own), "same hidden bits"),
        (gibbs(*[lambda p, rng: torch.bernoulli(p)] * 2), "draw by the `rng`"),
        (lambda v, w, b, c, rng: coin(torch.sigmoid(v @ w + c), rng), "should have the shape"),
        (lambda v, w, b, c, rng: gibbs()(v, w.T, b, c, rng), "raised RuntimeError"),
        (lambda v, w, b, c, rng: gibbs()(v, w, c, b, rng), "raised RuntimeError"),
        (gibbs_without_sigmoid, "a sigmoid is missing"),
        (gibbs_twice, "two Gibbs steps"),
        (gibbs(one_number_a_chain, one_number_a_chain), "all bits of a chain"),
        (gibbs(one_number_a_bit, one_number_a_bit), "one uniform number serves them all"),
        (gibbs_of_the_first, "one of them decides for all"),
        (lambda v, w, b, c, rng: v, "all chains do the same"),
    ],
    "coupling_inverse": [
        (layer(second=lambda y, s, t: y * s.exp() + t), "this is the way there"),
        (layer(second=lambda y, s, t: y * (-s).exp() - t), "undone before the shift"),
        (layer(second=lambda y, s, t: (y - t) * s.exp()), "scale is applied once more"),
        (layer(second=lambda y, s, t: (y + t) * (-s).exp()), "shift is added once more"),
        (layer(second=lambda y, s, t: y * (-s).exp()), "the shift is missing"),
        (layer(second=lambda y, s, t: y - t), "the scale is missing"),
        (layer(second=lambda y, s, t: (y - t) / s), "an exp is missing"),
        (layer(second=bounded), "bounded by a tanh"),
        (layer(second=lambda y, s, t: (y - s) * (-t).exp()), "in this order"),
        (layer(second=lambda y, s, t: y**2), "not what the way there began with"),
        (layer_as_in_the_lesson, "returns two tensors already"),
        (layer(asked=1), "shown the half that is changed"),
        (layer(asked=1, change=0), "the first half stayed"),
        (layer(order=(1, 0)), "other order"),
        (first_half_moved, "first half of the channels should stay"),
        (layer(log_det=lambda s: s.flatten(1).sum(1)), "log-determinant of the way there"),
        (layer(log_det=lambda s: -s.sum()), "one log-determinant for the whole batch"),
        (layer(log_det=lambda s: -s.flatten(1).mean(1)), "it is their sum"),
        (layer(log_det=lambda s: (-s).flatten(1).exp().sum(1)), "and not their logarithms"),
        (layer(log_det=lambda s: (-s).flatten(1).exp().prod(1)), "its logarithm is asked for"),
        (layer(log_det=lambda s: -s.sum(1)), "one number an image"),
        (layer(log_det=lambda s: -s[:, :, 0, 0].sum(1)), "only one pixel"),
        (layer(log_det=lambda s: -s.mean(1).flatten(1).sum(1)), "number of channels"),
        (layer(log_det=lambda s: s.square().flatten(1).sum(1)), "not minus the sum"),
        (layer(second=lambda y, s, t: (y - t.detach()) * (-s).exp()), "only a part of the gradient reaches y from x"),
        (layer(log_det=lambda s: -s.flatten(1).sum(1).detach()), "no gradient reaches y from the log-determinant"),
        (lambda y, network: network(y), "raised ValueError: the network reads half of the channels"),
        (lambda y, network: layer()(y, network)[0], "two tensors should be returned"),
        (lambda y, network: (y, y.flatten(1).sum(1)), "the network was never asked"),
    ],
    "ddim_step": [
        (ddim(lambda x, e, a, c: image_from(x, e, a)), "guess of the image. It is a poor one"),
        (ddim(lambda x, e, a, c: a.sqrt() * image_from(x, e, a) + (1 - a).sqrt() * e), "comes back as it was"),
        (ddim(shift=(-1, -1)), r"has T \+ 1 entries"),
        (ddim(shift=(-1, 0)), r"has T \+ 1 entries"),
        (ddim(shift=(0, -1)), r"has T \+ 1 entries"),
        (ddim(lambda x, e, a, c: (1 - c).sqrt() * image_from(x, e, 1 - a) + c.sqrt() * e), "each other's factor"),
        (ddim(lambda x, e, a, c: a.sqrt() * image_from(x, e, c) + (1 - a).sqrt() * e), "exchanged"),
        (ddim(lambda x, e, a, c: c.sqrt() * (x - (1 - a).sqrt() * e) + (1 - c).sqrt() * e), "not divided by"),
        (ddim(lambda x, e, a, c: c.sqrt() * image_from(x, -e, a) + (1 - c).sqrt() * e), "added to x_t"),
        (ddim(lambda x, e, a, c: c.sqrt() * image_from(x, e, a)), "noise is missing in x_s"),
        (ddim(lambda x, e, a, c: image_from(x, e, a) + (1 - c).sqrt() * e), "full size in x_s"),
        (ddim(ddim_with_fresh_noise), "two calls differ"),
        (ddim(ddim_of_v), "and not v"),
        (roots(False, False, False, False), "a root is missing"),
        (roots(True, False, True, True), "a root is missing"),
        (roots(True, True, True, False), "a root is missing"),
        (ddim(shape=(-1,)), "spread along the width"),
        (ddim(lambda x, e, a, c: x - e), "not what it should be"),
        (ddim(lambda x, e, a, c: (1 - c).sqrt() * image_from(x, e, a) + c.sqrt() * e), "each other's factor in x_s"),
        (ddim(lambda x, e, a, c: c.sqrt() * image_from(x, e, 1 - a) + (1 - c).sqrt() * e), "in the guess of the image"),
        (ddim(lambda x, e, a, c: c.sqrt() * x + (1 - c).sqrt() * e), "x_t stands where"),
        (ddim(divided_by_the_wrong_root), "divided by the factor of the noise"),
        (ddim(lambda x, e, a, c: c.sqrt() * image_from(x, e, a).clamp(-1, 1) + (1 - c).sqrt() * e), "was clamped"),
        (ddim(clamped_as_in_the_package), "was clamped"),
        (ddim_of_the_first_time, "of the first image are used for all"),
        (ddim_without_alpha_bar, "NaN or infinity in x_s.*t and s count steps"),
        (ddim(told=lambda t, s: s), "was told s"),
        (ddim(told=lambda t, s: t - 1), "told the times t"),
        (ddim_asks_twice, "more than once"),
        (lambda network, x, t, s, alpha_bar: network(x / 2, t), "shown x_t as it is"),
        (lambda network, x, t, s, alpha_bar: network(x, t).mean(), "should have the shape"),
        (lambda network, x, t, s, alpha_bar: x, "never asked"),
    ],
}  # fmt: skip
