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


def greater(p, rng):
    return (torch.rand(p.shape, generator=rng) > p).float()


def layer(
    second=lambda x, s, t: x * s.exp() + t, log_det=lambda s: s.flatten(1).sum(1), asked=0, order=(0, 1), change=1
):
    """A coupling with one thing changed; `asked` and `change`: which half the network sees, and which is changed."""

    def function(x, network):
        halves = list(x.chunk(2, 1))
        log_scale, shift = network(halves[asked])
        halves[change] = second(halves[change], log_scale, shift)
        return torch.cat([halves[i] for i in order], 1), log_det(log_scale)

    return function


def layer_in_place(x, network):
    y = x.clone()
    channels = x.shape[1] // 2
    log_scale, shift = network(x[:, :channels])
    y[:, channels:] = torch.exp(log_scale) * x[:, channels:] + shift
    return [y, torch.einsum("nchw->n", log_scale)]


def layer_by_product(x, network):
    kept, changed = torch.split(x, x.shape[1] // 2, 1)
    log_scale, shift = network(kept)
    scale = log_scale.exp()
    return torch.cat((kept, torch.addcmul(shift, changed, scale)), dim=1), scale.flatten(1).prod(1).log()


def denoise(
    mix=lambda x, noise, a: a.sqrt() * x + (1 - a).sqrt() * noise,
    loss=lambda found, noise, x, x_t: (found - noise).square().mean(),
    shape=(-1, 1, 1, 1),
    shown=lambda x, x_t: x_t,
    times=lambda t: t,
):
    """The diffusion loss with one thing changed."""

    def function(network, x, t, noise, alpha_bar):
        x_t = mix(x, noise, alpha_bar[t].view(shape))
        return loss(network(shown(x, x_t), times(t)), noise, x, x_t)

    return function


def denoise_by_mse(network, x, t, noise, alpha_bar):
    image_part, noise_part = alpha_bar.sqrt()[t], (1 - alpha_bar).sqrt()[t]
    x_t = torch.einsum("n,nchw->nchw", image_part, x) + torch.einsum("n,nchw->nchw", noise_part, noise)
    return F.mse_loss(network(x_t, t), noise)


def denoise_in_a_loop(network, x, t, noise, alpha_bar):
    x_t = torch.stack([a**0.5 * i + (1 - a) ** 0.5 * e for i, e, a in zip(x, noise, alpha_bar[t], strict=True)])
    return ((network(x_t, t) - noise) ** 2).flatten(1).mean(1).mean()


VALID = {
    "noise_share": [0.0085, 0.01, torch.tensor(0.00847)],
    "reparameterise": [
        mean_and_std(lambda s: s.exp().sqrt()),
        mean_and_std(lambda s: s.exp() ** 0.5),
        by_distribution,
    ],
    "elbo": [bound_by_torch, bound_in_a_loop, bound(join=lambda r, k: -(k - r))],
    "gibbs_step": [gibbs_by_linear, gibbs_by_difference, gibbs()],
    "coupling": [layer_in_place, layer_by_product],
    "diffusion_loss": [denoise_by_mse, denoise_in_a_loop],
}

WRONG = {
    "noise_share": [
        (6.64, "bits of a whole image"),
        (4.6, "nats, of a whole image"),
        (0.00587, "nats a pixel"),
        (7.9, "far more than it costs.*sum of two densities"),
        (0.5, "far more than it costs"),
        (0.0001, "less than the most"),
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
        (mean_and_std(lambda s: s.sqrt()), "NaN"),
        (mean_and_std(lambda s: (0.5 * s).exp(), sign=-1), "subtracted"),
        (own_noise, "do not change with the noise|are not mean"),
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
        (bound(lambda m, s: 0.5 * (m**2 - 1).sum(1)), "variance term is missing"),
        (bound(lambda m, s: 0.5 * (m + s.exp() - s - 1).sum(1)), "not squared"),
        (bound(lambda m, s: 0.5 * (m**2 + s.exp() - s - 1)), "raised RuntimeError|should have the shape"),
        (bound(join=lambda r, k: r - k.detach()), "no gradient reaches the mean"),
        (bound(join=lambda r, k: r.detach() - k), "no gradient reaches the reconstruction"),
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
        (gibbs(*[lambda p, rng: torch.bernoulli(p)] * 2), "draw by the `rng`"),
        (lambda v, w, b, c, rng: coin(torch.sigmoid(v @ w + c), rng), "should have the shape"),
        (lambda v, w, b, c, rng: gibbs()(v, w.T, b, c, rng), "raised RuntimeError"),
        (lambda v, w, b, c, rng: gibbs()(v, w, c, b, rng), "raised RuntimeError"),
        (gibbs_of_the_first, "one of them decides for all"),
        (lambda v, w, b, c, rng: v, "all chains do the same"),
    ],
    "coupling": [
        (layer(second=lambda x, s, t: x * s + t), "an exp is missing"),
        (layer(second=lambda x, s, t: x * s.exp()), "the shift is missing"),
        (layer(second=lambda x, s, t: (x + t) * s.exp()), "shifted first"),
        (layer(second=lambda x, s, t: (x - t) * (-s).exp()), "the way back"),
        (layer(asked=1), "shown the half that is changed"),
        (layer(order=(1, 0)), "other order"),
        (layer(asked=1, change=0), "shown the half that is changed"),
        (layer(log_det=lambda s: s.sum()), "one log-determinant for the whole batch"),
        (layer(log_det=lambda s: s.flatten(1).mean(1)), "it is their sum"),
        (layer(log_det=lambda s: s.flatten(1).exp().sum(1)), "and not their logarithms"),
        (layer(log_det=lambda s: s.flatten(1).exp().prod(1)), "its logarithm is asked for"),
        (layer(log_det=lambda s: -s.flatten(1).sum(1)), "wrong sign"),
        (layer(log_det=lambda s: s.sum(1)), "one number an image"),
        (layer(log_det=lambda s: s[:, :, 0, 0].sum(1)), "only one pixel"),
        (layer(log_det=lambda s: s.mean(1).flatten(1).sum(1)), "number of channels"),
        (layer(log_det=lambda s: s.flatten(1).sum(1).detach()), "no gradient reaches x from the log-determinant"),
        (lambda x, network: network(x), "raised ValueError: the network reads half of the channels"),
        (lambda x, network: layer()(x, network)[0], "two tensors should be returned"),
        (lambda x, network: (x, x.flatten(1).sum(1)), "the network was never asked"),
    ],
    "diffusion_loss": [
        (denoise(shown=lambda x, x_t: x), "clean image and not x_t"),
        (denoise(mix=lambda x, e, a: a * x + (1 - a) * e), "the roots are missing"),
        (denoise(mix=lambda x, e, a: (1 - a).sqrt() * x + a.sqrt() * e), "each other's factor"),
        (denoise(mix=lambda x, e, a: a.sqrt() * x + e), "full size"),
        (denoise(mix=lambda x, e, a: x + (1 - a).sqrt() * e), "does not fade"),
        (denoise(mix=lambda x, e, a: e), "the noise alone"),
        (denoise(shape=(-1,)), "spread along the width"),
        (denoise(times=lambda t: t - 1), "told the times t"),
        (denoise(loss=lambda f, e, x, x_t: (f - x).square().mean()), "the target is the image"),
        (denoise(loss=lambda f, e, x, x_t: (f - x_t).square().mean()), "has just been shown"),
        (denoise(loss=lambda f, e, x, x_t: (f - e).abs().mean()), "not squared"),
        (denoise(loss=lambda f, e, x, x_t: (f - e).square().sum()), "sum over everything"),
        (denoise(loss=lambda f, e, x, x_t: (f - e).square().sum((1, 2, 3)).mean()), "sum over pixels"),
        (denoise(loss=lambda f, e, x, x_t: (f - e).square().mean().sqrt()), "root of the mean square"),
        (denoise(loss=lambda f, e, x, x_t: -(f - e).square().mean()), "wrong sign"),
        (denoise(loss=lambda f, e, x, x_t: (f - e).square().mean((1, 2, 3))), r"should have the shape \(\)"),
        (denoise(loss=lambda f, e, x, x_t: (f.detach() - e).square().mean()), "no gradient reaches the network"),
        (lambda network, x, t, noise, alpha_bar: noise.square().mean(), "never asked"),
    ],
}  # fmt: skip
