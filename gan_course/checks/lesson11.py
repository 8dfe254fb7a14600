"""Checks for the exercises of lesson 11."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gan_course.checks.ddim import factors, moved, wrong_steps
from gan_course.checks.framework import NotYet, attempt, check, expect, expect_number, expect_tensor, gradient_of
from gan_course.checks.gibbs import GIBBS_MISTAKES, after, expect_bits_by, shares

LOGARITHM = "log_variance is a logarithm already, and may be negative: it has no root and no logarithm. Take exp first."
CUT_OFF = "No .item(), .detach(), no_grad or torch.tensor(...) on the way."


@check
def noise_share(guess: Any) -> None:
    """A model that draws noise in 99 of 100 cases costs at most log2(100) / 784 bits a pixel more."""
    bits = expect_number(guess, "the guess", "Write for example `guess = 0.5`.")
    expect(
        math.isfinite(bits), f"the guess should be a finite number, but is {bits}.", "Write for example `guess = 0.5`."
    )
    hint = "A sum of two densities is at least as large as either: p_mixture(x) >= 0.01 p_good(x). Take the logarithm."
    expect(bits >= 0, "the question is by how much it is worse, and that is no negative number.", hint)
    for lowest, highest, problem in [
        (6.5, 6.8, "these are the bits of a whole image; the question is about one pixel, and there are 784."),
        (4.5, 4.7, "these are nats, of a whole image; the question is about bits a pixel."),
        (0.0055, 0.0062, "these are nats a pixel; one nat is 1 / ln 2 bits: take log2."),
        (0.0025, 0.0026, "this is a logarithm to the base 10; bits are logarithms to the base 2."),
        (0.000018, 0.000019, "you kept the term of the noise, 0.99 p_noise; on real digits it is next to nothing."),
        (0.00999, 0.01001, "0.01 is how often the good model draws; that is no number of bits yet."),
        (0.01019, 0.01022, "8 bits are what one pixel costs by a blind guess; here one image costs log2(100) more."),
    ]:
        expect(not lowest <= bits <= highest, problem, hint)
    expect(bits <= 0.009, f"{bits:g} bits a pixel would be more than it costs.", hint)
    expect(bits >= 0.008, f"{bits:g} bits a pixel is less than the most that it can cost.", hint)


@check
def reparameterise(function: Any) -> None:
    """z = mean + exp(log_variance / 2) * noise, with a gradient to both."""
    rng = torch.Generator().manual_seed(1)
    mean, log_variance, noise = (torch.randn(6, 3, generator=rng) for _ in range(3))
    mean.requires_grad_(True), log_variance.requires_grad_(True)
    z = attempt(function, mean, log_variance, noise)
    expect_tensor(z, (6, 3), "the codes", LOGARITHM)
    own = "two calls with the same noise differ: you draw noise of your own. Take what you are given."
    expect(_close(z, attempt(function, mean, log_variance, noise)), own, "mean + ... * noise")
    again = attempt(function, mean, log_variance, -noise)
    expect(not _close(z, again), "the codes do not change with the noise that you are given.", "mean + ... * noise")
    hint = "A variance v is a standard deviation sqrt(v), and sqrt(exp(l)) = exp(l / 2)."
    for std, problem in [
        (0.5 * log_variance.exp(), "the noise is multiplied by half the variance, not by its root."),
        (log_variance.exp(), "the noise is multiplied by the variance and not by the standard deviation."),
        (log_variance, "the noise is multiplied by the logarithm of the variance."),
        (0.5 * log_variance, "the noise is multiplied by half the logarithm of the variance: an exp is missing."),
        ((-0.5 * log_variance).exp(), "the noise is divided by the standard deviation and not multiplied by it."),
        ((2 * log_variance).exp(), "the noise is multiplied by the square of the variance."),
        (torch.ones_like(mean), "all codes are spread by 1: the log variance changes nothing."),
        (log_variance.abs().sqrt(), "the root is taken of the logarithm of the variance; take exp first."),
    ]:
        expect(not _close(z, mean + std * noise), problem, hint)
    std = (0.5 * log_variance).exp()
    mistakes = [
        (std * noise, "the mean is missing."),
        (mean - std * noise, "the noise is subtracted. That is a draw from q too; but take the usual sign, +."),
        (std * (mean + noise), "the mean is multiplied by the standard deviation too."),
    ]
    _expect_none_of(z, mistakes, "z = mean + std * noise")
    right = mean + std * noise
    expect(_close(z, right), "the codes are not mean + standard deviation * noise.", hint)
    for name, place in (("the mean", mean), ("the log variance", log_variance)):
        _expect_gradient(z.square().sum(), place, right.square().sum(), name)


@check
def elbo(function: Any) -> None:
    """log p(x|z) - KL(q(z|x) || N(0, I)), one number an image."""
    rng = torch.Generator().manual_seed(2)
    mean, log_variance = (torch.randn(5, 3, generator=rng) for _ in range(2))
    reconstruction = -10 - 5 * torch.rand(5, generator=rng)
    places = [tensor.requires_grad_(True) for tensor in (reconstruction, mean, log_variance)]
    result = attempt(function, *places)
    hint = "KL = 1/2 sum(mean^2 + variance - log variance - 1), the sum over the numbers of a code."
    one_each = "there is one number for the whole batch; a bound belongs to one image. Sum over the code only, dim 1."
    expect(not (isinstance(result, Tensor) and result.shape == ()), one_each, hint)
    expect_tensor(result, (5,), "the bound", LOGARITHM)
    variance = log_variance.exp()
    terms = mean.square() + variance - log_variance - 1  # (N, latent_dim)
    kl = 0.5 * terms.sum(1)

    def with_kl(variance: Tensor, log_variance: Tensor) -> Tensor:
        return reconstruction - 0.5 * (mean.square() + variance - log_variance - 1).sum(1)

    reversed_kl = 0.5 * ((mean.square() + 1) / variance + log_variance - 1).sum(1)
    mistakes = [
        (reconstruction + kl, "the KL is added. It is what the code costs, so it makes the bound lower."),
        (kl - reconstruction, "this is minus the bound: a loss. The bound itself is asked for."),
        (reconstruction - 2 * kl, "the factor 1/2 of the KL is missing."),
        (reconstruction - 0.5 * terms.mean(1), "the KL is a mean over the numbers of a code; it is a sum."),
        (reconstruction - kl.sum(), "the KL of all images was added up and taken from each."),
        (reconstruction - kl.mean(), "the mean KL of all images is taken from each; each has its own."),
        (reconstruction - 0.5 * (terms + 1).sum(1), "the -1 of the KL is missing: the KL of N(0, I) must be 0."),
        (reconstruction - 0.5 * (terms + 2 * log_variance).sum(1), "the log variance has the wrong sign in the KL."),
        (with_kl(variance.sqrt(), log_variance), "the standard deviation stands in the place of the variance."),
        (with_kl(variance**2, 2 * log_variance), "the log variance is read as the logarithm of a standard deviation."),
        (with_kl(variance**2, log_variance), "the variance is squared; exp(log_variance) is sigma^2 already."),
        (reconstruction - 0.5 * kl, "the KL is halved twice."),
        (reconstruction - reversed_kl, "this is the KL of the prior from q; the KL of q from the prior is asked for."),
        (reconstruction - 0.5 * terms.mean(), "the KL is one mean over batch and code; sum over the code, dim 1."),
        (reconstruction - 0.5 * (terms - variance + log_variance).sum(1), "the variance term is missing."),
        (reconstruction - 0.5 * (terms - mean.square() + mean).sum(1), "the mean is not squared."),
        (reconstruction - 0.5 * (terms - mean.square() + mean.abs()).sum(1), "the mean is not squared."),
        (reconstruction.mean() - kl, "the mean reconstruction of all images is used for each; each has its own."),
        (reconstruction, "the KL is missing: what is left is a plain autoencoder."),
        (-kl, "the reconstruction is missing."),
        (kl, "this is the KL alone. The bound is the reconstruction minus that."),
    ]
    _expect_none_of(result, mistakes, hint)
    expect(_close(result, reconstruction - kl), "the bound is not reconstruction - KL.", hint)
    for name, place in zip(("the reconstruction", "the mean", "the log variance"), places, strict=True):
        _expect_gradient(result.sum(), place, (reconstruction - kl).sum(), name)


@check
def gibbs_step(function: Any) -> None:
    """v -> h -> v: the bits of a small machine must go over into one another with the right probabilities."""
    weight = torch.tensor([[1.5, -2.0], [-1.0, 1.0], [2.5, 0.5]])  # 3 visible, 2 hidden bits
    visible_bias, hidden_bias = torch.tensor([-0.5, 0.8, -1.0]), torch.tensor([-3.5, 1.9])
    machine, chains = (weight, visible_bias, hidden_bias), 20_000
    start = torch.tensor([1.0, 0.0, 1.0])
    found = [
        attempt(function, start.repeat(chains, 1), *machine, torch.Generator().manual_seed(seed)) for seed in (3, 3)
    ]
    expect_tensor(found[0], (chains, 3), "the new visible bits")
    bits = found[0].to(torch.float64)
    hint = (
        "h: sigmoid(v W + c), then bits; v: sigmoid(h W^T + b), then bits. A bit is 1 where a uniform number is less."
    )
    is_bit = ((bits == 0) | (bits == 1)).all()
    expect(is_bit, "the result is no bits: probabilities, perhaps. Draw the last bits too.", hint)
    if (bits == bits[0]).all():
        few = [attempt(function, start.repeat(2, 1), *machine, torch.Generator().manual_seed(i)) for i in range(10)]
        one = "all chains do the same: one uniform number serves them all. Each bit of each chain needs its own."
        expect(all(torch.equal(few[0], other) for other in few), one, "torch.rand(p.shape, generator=rng) < p")
        expect(False, "all chains do the same: nothing is drawn by chance, such as by a threshold of 1/2.", hint)
    expect(torch.equal(*found), "the same generator gives other bits: draw by the `rng` that you are given.", "rng=rng")
    found_shares = shares(bits)
    candidates = {name: after(start, machine, **how) for name, (how, _) in GIBBS_MISTAKES.items()}
    distance = {name: (found_shares - chances).abs().sum().item() / 2 for name, chances in candidates.items()}
    nearest = min(distance, key=distance.get)
    is_near = distance[nearest] < 0.02
    expect(not is_near or nearest == "right", GIBBS_MISTAKES[nearest][1], hint)
    expect(is_near, "the bits are drawn with wrong probabilities.", hint)
    expect_bits_by(function)
    other = torch.tensor([0.0, 1.0, 0.0])
    both = torch.stack([start, other]).repeat_interleave(chains, 0)
    second = attempt(function, both, *machine, torch.Generator().manual_seed(4))[chains:]
    apart = (shares(second) - after(other, machine)).abs().sum() / 2
    expect(apart < 0.02, "the chains of a batch are mixed up, or one of them decides for all.", "Work row by row.")


class _Pair(tuple):
    """Two tensors, for an answer that takes them for one."""

    def chunk(self, *sizes: int, **named: int) -> None:
        raise ValueError("the network returns two tensors already, log_scale and shift, and there is nothing to chunk")


@check
def coupling_inverse(function: Any) -> None:
    """The first half of the channels stayed and says how the second is brought back; with the log-determinant."""
    rng = torch.Generator().manual_seed(5)
    y = torch.randn(4, 6, 2, 2, generator=rng).requires_grad_(True)
    kernel = torch.randn(6, 3, 1, 1, generator=rng)
    asked: list[Tensor] = []

    def network(kept: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(kept)
        if kept.shape != (4, 3, 2, 2):
            raise ValueError(f"the network reads half of the channels, (4, 3, 2, 2), but was given {tuple(kept.shape)}")
        return _Pair(torch.tanh(torch.nn.functional.conv2d(kept, kernel)).chunk(2, 1))

    result = attempt(function, y, network)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two tensors should be returned: x, and the log-determinant.", "return x, log_determinant")
    expect(bool(asked), "the network was never asked.", "log_scale, shift = network(kept)")
    x, log_determinant = result
    expect_tensor(x, (4, 6, 2, 2), "x")
    kept, changed = y.chunk(2, 1)
    hint = "x = (kept, what the way there did to the second half undone), in the order in which they came."
    if _close(asked[0], changed):
        other = "that is the way back of a coupling too, but here the first half stayed."
        expect(not _close(x[:, 3:], changed), other, "log_scale, shift = network(kept), the first half.")
        both = "the network was shown the half that is changed. On the way there it was shown the other one."
        expect(False, both, "log_scale, shift = network(kept), the first half.")
    log_scale, shift = network(kept)
    bounded = 2 * torch.tanh(log_scale / 2)
    back = (changed - shift) * (-log_scale).exp()
    mistakes = [
        (changed * log_scale.exp() + shift, "this is the way there: the second half is scaled and shifted once more."),
        (changed * (-log_scale).exp() - shift, "the scale is undone before the shift, which was what came last."),
        ((changed - shift) * log_scale.exp(), "the scale is applied once more and not undone."),
        ((changed + shift) * (-log_scale).exp(), "the shift is added once more and not taken away."),
        (changed * (-log_scale).exp(), "the shift is missing."),
        (changed - shift, "the scale is missing."),
        ((changed - shift) / log_scale, "the changed half is divided by the log scale: an exp is missing."),
        ((changed - log_scale) * (-shift).exp(), "the network returns (log_scale, shift), in this order."),
        (
            (changed - shift) * (-bounded).exp(),
            "the log scale is bounded by a tanh; here it is used as the network says.",
        ),
        (kept, "the halves come out in the other order."),
    ]
    _expect_none_of(x[:, 3:], mistakes, hint)
    expect(_close(x[:, :3], kept), "the first half of the channels should stay as it is.", hint)
    expect(_close(x[:, 3:], back), "the second half is not what the way there began with.", hint)
    _expect_log_determinant(log_determinant, -log_scale)
    for name, value, right in (
        ("x", x, torch.cat([kept, back], 1)),
        ("the log-determinant", log_determinant, -log_scale.flatten(1).sum(1)),
    ):
        _expect_gradient(value.square().sum(), y, right.square().sum(), f"y from {name}")


def _expect_log_determinant(found: Any, logs: Tensor) -> None:
    hint = "The matrix of slopes is triangular; its determinant is the product of the 1 / scale: sum their logarithms."
    total = "there is one log-determinant for the whole batch; each image has its own."
    expect(not (isinstance(found, Tensor) and found.shape == ()), total, hint)
    per_channel = isinstance(found, Tensor) and found.ndim > 1
    expect(not per_channel, "the log-determinant is one number an image: sum over channels, height and width.", hint)
    expect_tensor(found, (4,), "the log-determinant")
    flat = logs.flatten(1)
    mistakes = [
        (-flat.sum(1), "this is the log-determinant of the way there; the way back has the other sign."),
        (flat.mean(1), "the log-determinant is a mean of logarithms; it is their sum."),
        (flat.exp().sum(1), "the scales were summed, and not their logarithms."),
        (flat.exp().prod(1), "this is the determinant; its logarithm is asked for."),
        (logs[:, :, 0, 0].sum(1), "only one pixel was counted; each has scales of its own."),
        (flat.sum(1) / 3, "the sum is divided by the number of channels."),
    ]
    _expect_none_of(found, mistakes, hint)
    expect(_close(found, flat.sum(1)), "the log-determinant is not minus the sum of the log scales.", hint)


@check
def ddim_step(function: Any) -> None:
    """From x_t along the noise that the network finds to x_s, with a t and an s for each image."""
    n = 4  # as many images as pixels in a row, so that a wrong broadcast is no error
    x_t = torch.randn(n, 1, n, n, generator=torch.Generator().manual_seed(6))
    t, s, alpha_bar = torch.tensor([3, 7, 4, 9]), torch.tensor([1, 5, 0, 2]), torch.linspace(1, 0.05, 11)
    seen: list[tuple] = []

    def network(x: Tensor, time: Tensor) -> Tensor:
        seen.append((x, time))
        return 0.6 * x.flip(-1) + 0.05 * time.view(-1, 1, 1, 1)

    x_s = attempt(function, network, x_t, t, s, alpha_bar)
    expect(bool(seen), "the network was never asked.", "noise = network(x_t, t)")
    (shown, time), times_asked = seen[0], len(seen)
    expect(_close(shown, x_t), "the network should be shown x_t as it is.", "noise = network(x_t, t)")
    told = isinstance(time, Tensor) and time.shape == t.shape
    expect(not (told and torch.equal(time, s)), "the network was told s; it looks at x_t, so it is told t.", "(x_t, t)")
    expect(told and torch.equal(time, t), "the network should be told the times t as they are.", "network(x_t, t)")
    looked_up = "t and s count steps. The factors come from alpha_bar[t] and alpha_bar[s], which lie between 0 and 1."
    expect_tensor(x_s, (n, 1, n, n), "x_s", looked_up)
    fresh = "two calls differ: DDIM draws nothing. The noise that the network found goes on."
    expect(_close(x_s, attempt(function, network, x_t, t, s, alpha_bar)), fresh, "noise = network(x_t, t)")
    hint = "x = (x_t - sqrt(1 - abar_t) noise) / sqrt(abar_t); x_s = sqrt(abar_s) x + sqrt(1 - abar_s) noise."
    _expect_none_of(x_s, wrong_steps(x_t, network(x_t, t), t, s, alpha_bar), hint)
    right = moved(x_t, network(x_t, t), *factors(alpha_bar[t]), *factors(alpha_bar[s]))
    again = "the network is asked more than once, and its answers differ: one answer serves both formulas."
    expect(_close(x_s, right) or times_asked == 1, again, "Keep the noise of (x_t, t).")
    expect(_close(x_s, right), "x_s is not what it should be.", hint)


def _expect_none_of(found: Any, mistakes: list[tuple[Tensor, str]], hint: str) -> None:
    """Stop the check if what was found is one of the mistakes."""
    for wrong, problem in mistakes:
        expect(not _close(found, wrong), problem, hint)


def _close(a: Any, b: Tensor) -> bool:
    return isinstance(a, Tensor) and a.shape == b.shape and torch.allclose(a.to(b.dtype), b, atol=1e-4, rtol=1e-4)


def _expect_gradient(value: Tensor, place: Tensor, right: Tensor, what: str) -> None:
    """The gradient of the value reaches `place`, and is that of the right value."""
    try:
        found = gradient_of(value, place)
    except RuntimeError:
        raise NotYet("no gradient can be taken of the result.", "No .backward() inside the function.") from None
    expect(found is not None, f"the values are right, but no gradient reaches {what}.", CUT_OFF)
    whole = gradient_of(right, place)
    expect(_close(found, whole), f"only a part of the gradient reaches {what}, though the value is right.", CUT_OFF)
