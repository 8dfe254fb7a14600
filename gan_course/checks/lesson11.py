"""Checks for the exercises of lesson 11."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor

from gan_course.checks.framework import NotYet, attempt, check, expect, expect_number, expect_tensor, gradient_of

CUT_OFF = "No .item(), .detach(), no_grad or torch.tensor(...) on the way."


@check
def noise_share(guess: Any) -> None:
    """A model that draws noise in 99 of 100 cases costs at most log2(100) / 784 bits a pixel more."""
    bits = expect_number(guess, "the guess", "Write for example `guess = 0.5`.")
    hint = "A sum of two densities is at least as large as either: p_mixture(x) >= 0.01 p_good(x). Take the logarithm."
    expect(bits >= 0, "the question is by how much it is worse, and that is no negative number.", hint)
    per_image = "these are the bits of a whole image; the question is about one pixel, and there are 784."
    expect(not 6.5 <= bits <= 6.8, per_image, "Divide.")
    expect(not 4.5 <= bits <= 4.7, "these are nats, of a whole image; the question is about bits a pixel.", hint)
    expect(not 0.0055 <= bits <= 0.0062, "these are nats a pixel; one nat is 1 / ln 2 bits.", "Take log2.")
    expect(bits <= 0.0105, f"{bits:g} bits a pixel would be far more than it costs.", hint)
    expect(bits >= 0.0075, f"{bits:g} bits a pixel is less than the most that it can cost.", hint)


@check
def reparameterise(function: Any) -> None:
    """z = mean + exp(log_variance / 2) * noise, with a gradient to both."""
    rng = torch.Generator().manual_seed(1)
    mean, log_variance, noise = (torch.randn(6, 3, generator=rng) for _ in range(3))
    mean.requires_grad_(True), log_variance.requires_grad_(True)
    z = attempt(function, mean, log_variance, noise)
    expect_tensor(z, (6, 3), "the codes")
    again = attempt(function, mean, log_variance, -noise)
    expect(not _close(z, again), "the codes do not change with the noise that you are given.", "mean + ... * noise")
    hint = "A variance v is a standard deviation sqrt(v), and sqrt(exp(l)) = exp(l / 2)."
    for std, problem in [
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
    for wrong, problem in [
        (std * noise, "the mean is missing."),
        (mean - std * noise, "the noise is subtracted. That is a draw from q too; but take the usual sign, +."),
        (std * (mean + noise), "the mean is multiplied by the standard deviation too."),
    ]:
        expect(not _close(z, wrong), problem, "z = mean + std * noise")
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
    expect_tensor(result, (5,), "the bound")
    terms = mean.square() + log_variance.exp() - log_variance - 1  # (N, latent_dim)
    kl = 0.5 * terms.sum(1)
    std_as_variance = 0.5 * (mean.square() + (0.5 * log_variance).exp() - log_variance - 1).sum(1)
    for wrong, problem in [
        (reconstruction + kl, "the KL is added. It is what the code costs, so it makes the bound lower."),
        (kl - reconstruction, "this is minus the bound: a loss. The bound itself is asked for."),
        (reconstruction - 2 * kl, "the factor 1/2 of the KL is missing."),
        (reconstruction - 0.5 * terms.mean(1), "the KL is a mean over the numbers of a code; it is a sum."),
        (reconstruction - kl.sum(), "the KL of all images was added up and taken from each."),
        (reconstruction - kl.mean(), "the mean KL of all images is taken from each; each has its own."),
        (reconstruction - 0.5 * (terms + 1).sum(1), "the -1 of the KL is missing: the KL of N(0, I) must be 0."),
        (reconstruction - 0.5 * (terms + 2 * log_variance).sum(1), "the log variance has the wrong sign in the KL."),
        (reconstruction - std_as_variance, "the standard deviation stands in the place of the variance."),
        (reconstruction - 0.5 * (terms - log_variance.exp() + log_variance).sum(1), "the variance term is missing."),
        (reconstruction - 0.5 * (terms - mean.square() + mean).sum(1), "the mean is not squared."),
        (reconstruction, "the KL is missing: what is left is a plain autoencoder."),
        (-kl, "the reconstruction is missing."),
    ]:
        expect(not _close(result, wrong), problem, hint)
    expect(_close(result, reconstruction - kl), "the bound is not reconstruction - KL.", hint)
    for name, place in zip(("the reconstruction", "the mean", "the log variance"), places, strict=True):
        _expect_gradient(result.sum(), place, (reconstruction - kl).sum(), name)


@check
def gibbs_step(function: Any) -> None:
    """v -> h -> v: the bits of a small machine must go over into one another with the right probabilities."""
    weight = torch.tensor([[1.5, -2.0], [-1.0, 1.0], [2.5, 0.5]])  # 3 visible, 2 hidden bits
    visible_bias, hidden_bias = torch.tensor([-0.5, 0.8, -1.0]), torch.tensor([-1.2, 0.6])
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
    expect(
        not (bits == bits[0]).all(),
        "all chains do the same: nothing is drawn by chance, such as by a threshold of 1/2.",
        hint,
    )
    expect(torch.equal(*found), "the same generator gives other bits: draw by the `rng` that you are given.", "rng=rng")
    shares = _shares(bits)
    candidates = {name: _after(start, machine, **how) for name, (how, _) in GIBBS_MISTAKES.items()}
    distance = {name: (shares - chances).abs().sum().item() / 2 for name, chances in candidates.items()}
    nearest = min(distance, key=distance.get)
    is_near = distance[nearest] < 0.02
    expect(not is_near or nearest == "right", GIBBS_MISTAKES[nearest][1], hint)
    expect(is_near, "the bits are drawn with wrong probabilities.", hint)
    other = torch.tensor([0.0, 1.0, 0.0])
    both = torch.stack([start, other]).repeat_interleave(chains, 0)
    second = attempt(function, both, *machine, torch.Generator().manual_seed(4))[chains:]
    apart = (_shares(second) - _after(other, machine)).abs().sum() / 2
    expect(apart < 0.02, "the chains of a batch are mixed up, or one of them decides for all.", "Work row by row.")


def _shares(bits: Tensor) -> Tensor:
    """How often each of the 8 states of three bits (N, 3) occurs."""
    return (bits.double() @ torch.tensor([4.0, 2.0, 1.0]).double()).long().bincount(minlength=8) / len(bits)


def _after(v: Tensor, machine: tuple, mean_field=False, flipped=False, no_c=False, no_b=False, threshold=False):
    """P(new v | v) of all 8 states, in the order of their binary numbers, with one thing done wrong."""
    weight, b, c = (part.double() for part in machine)
    b, c = 0 * b if no_b else b, 0 * c if no_c else c
    h_on = torch.sigmoid(v.double() @ weight + c)
    states = torch.tensor(list(itertools.product((0, 1), repeat=3))).double()  # (8, 3)
    if threshold:
        h_on = (h_on > 0.5).double()
    total = torch.zeros(8, dtype=torch.float64)
    hidden = [h_on] if mean_field else [torch.tensor(h).double() for h in itertools.product((0, 1), repeat=2)]
    for h in hidden:
        chance = 1.0 if mean_field else (h * h_on + (1 - h) * (1 - h_on)).prod()
        seen = 1 - h if flipped and not mean_field else h
        v_on = torch.sigmoid(seen @ weight.T + b)
        v_on = 1 - v_on if flipped else v_on
        total += chance * (states * v_on + (1 - states) * (1 - v_on)).prod(1)
    return total


GIBBS_MISTAKES = {
    "right": ({}, ""),
    "mean field": (
        {"mean_field": True},
        "the hidden bits are not drawn: their probabilities go on. Then new bits of one chain are independent.",
    ),
    "threshold": ({"threshold": True}, "the hidden bits are rounded and not drawn."),
    "flipped": ({"flipped": True}, "a bit is 1 where the uniform number is *greater* than its probability."),
    "no c": ({"no_c": True}, "the hidden bias is missing."),
    "no b": ({"no_b": True}, "the visible bias is missing."),
}


@check
def coupling(function: Any) -> None:
    """The first half of the channels stays and says how the second is scaled and shifted; with the log-determinant."""
    rng = torch.Generator().manual_seed(5)
    x = torch.randn(4, 6, 2, 2, generator=rng).requires_grad_(True)
    kernel = torch.randn(6, 3, 1, 1, generator=rng)
    asked: list[Tensor] = []

    def network(kept: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(kept)
        if kept.shape != (4, 3, 2, 2):
            raise ValueError(f"the network reads half of the channels, (4, 3, 2, 2), but was given {tuple(kept.shape)}")
        return torch.tanh(torch.nn.functional.conv2d(kept, kernel)).chunk(2, 1)

    result = attempt(function, x, network)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two tensors should be returned: y, and the log-determinant.", "return y, log_determinant")
    expect(bool(asked), "the network was never asked.", "log_scale, shift = network(kept)")
    y, log_determinant = result
    expect_tensor(y, (4, 6, 2, 2), "y")
    kept, changed = x.chunk(2, 1)
    log_scale, shift = network(kept)
    hint = "y = (kept, changed * exp(log_scale) + shift), in the order in which they came."
    by_other = "the network was shown the half that is changed. From y alone nobody could ask it again on the way back."
    expect(not _close(asked[0], changed), by_other, "log_scale, shift = network(kept), the first half.")
    for second, problem in [
        (changed * log_scale + shift, "the changed half is multiplied by the log scale: an exp is missing."),
        (changed * log_scale.exp(), "the shift is missing."),
        ((changed + shift) * log_scale.exp(), "shifted first and scaled then; the other way round, please."),
        ((changed - shift) * (-log_scale).exp(), "this is the way back."),
    ]:
        expect(not _close(y[:, 3:], second), problem, hint)
    expect(not _close(y[:, 3:], kept), "the halves come out in the other order.", hint)
    expect(_close(y[:, :3], kept), "the first half of the channels should stay as it is.", hint)
    expect(_close(y[:, 3:], changed * log_scale.exp() + shift), "the second half is not as it should be.", hint)
    _expect_log_determinant(log_determinant, log_scale)
    for name, value, right in (
        ("y", y, torch.cat([kept, changed * log_scale.exp() + shift], 1)),
        ("the log-determinant", log_determinant, log_scale.flatten(1).sum(1)),
    ):
        _expect_gradient(value.square().sum(), x, right.square().sum(), f"x from {name}")


def _expect_log_determinant(found: Any, log_scale: Tensor) -> None:
    hint = "The matrix of slopes is triangular, so its determinant is the product of the scales: sum their logarithms."
    total = "there is one log-determinant for the whole batch; each image has its own."
    expect(not (isinstance(found, Tensor) and found.shape == ()), total, hint)
    per_channel = isinstance(found, Tensor) and found.ndim > 1
    expect(not per_channel, "the log-determinant is one number an image: sum over channels, height and width.", hint)
    expect_tensor(found, (4,), "the log-determinant")
    flat = log_scale.flatten(1)
    for wrong, problem in [
        (flat.mean(1), "the log-determinant is a mean of the log scales; it is their sum."),
        (flat.exp().sum(1), "the scales were summed, and not their logarithms."),
        (flat.exp().prod(1), "this is the determinant; its logarithm is asked for."),
        (-flat.sum(1), "the log-determinant has the wrong sign: a scale above 1 makes volumes larger."),
        (log_scale[:, :, 0, 0].sum(1), "only one pixel was counted; each has scales of its own."),
        (flat.sum(1) / 3, "the sum is divided by the number of channels."),
    ]:
        expect(not _close(found, wrong), problem, hint)
    expect(_close(found, flat.sum(1)), "the log-determinant is not the sum of the log scales.", hint)


@check
def diffusion_loss(function: Any) -> None:
    """Mean squared error of the noise that a network finds in x_t."""
    n = 4  # as many images as pixels in a row, so that a wrong broadcast is no error
    rng = torch.Generator().manual_seed(6)
    x, noise = torch.rand(n, 1, n, n, generator=rng) * 2 - 1, torch.randn(n, 1, n, n, generator=rng)
    t, alpha_bar = torch.tensor([1, 7, 3, 9]), torch.linspace(1, 0.05, 11)
    scale = torch.tensor(0.6, requires_grad=True)
    seen: list[tuple] = []

    def network(x_t: Tensor, time: Tensor) -> Tensor:
        seen.append((x_t, time))
        return scale * x_t + 0.01 * time.view(-1, 1, 1, 1)

    loss = attempt(function, network, x, t, noise, alpha_bar)
    expect(bool(seen), "the network was never asked.", "network(x_t, t)")
    x_t, time = seen[0]
    _expect_noisy(x_t, x, noise, alpha_bar[t])
    told = isinstance(time, Tensor) and time.shape == t.shape and bool((time == t).all())
    expect(told, "the network should be told the times t as they are.", "network(x_t, t)")
    expect_tensor(loss, (), "the loss")
    guess, kept = network(x_t, t), alpha_bar[t].view(-1, 1, 1, 1)
    target = "The target is the noise: ((network(x_t, t) - noise) ** 2).mean()"
    for wrong, problem in [
        ((guess - x).square().mean(), "the target is the image. The network here says which *noise* it was."),
        ((guess - x_t).square().mean(), "the target is x_t itself, which the network has just been shown."),
        ((guess - noise).abs().mean(), "the differences are not squared."),
        ((guess - noise).square().sum(), "the loss is a sum over everything; here it is a mean."),
        ((guess - noise).square().flatten(1).sum(1).mean(), "the loss is a sum over pixels; here it is a mean."),
        (-(guess - noise).square().mean(), "the loss has the wrong sign: it would grow."),
        ((guess - noise).square().mean().sqrt(), "the root of the mean square is taken; leave it out."),
        (((guess - noise) * (1 - kept).sqrt()).square().mean(), "the error is weighted by the time; here it is not."),
    ]:
        expect(not _close(loss, wrong), problem, target)
    right = (guess - noise).square().mean()
    expect(_close(loss, right), f"the loss should be {right.item():.4f} here, but is {loss.item():.4f}.", target)
    _expect_gradient(loss, scale, right, "the network")


def _expect_noisy(x_t: Any, x: Tensor, noise: Tensor, alpha_bar: Tensor) -> None:
    """x_t is the image and the noise, mixed with the factors that belong to alpha_bar (N,)."""
    expect_tensor(x_t, tuple(x.shape), "x_t")
    kept = alpha_bar.view(-1, 1, 1, 1)
    hint = "x_t = sqrt(alpha_bar_t) x + sqrt(1 - alpha_bar_t) noise, with one alpha_bar for each image: (N, 1, 1, 1)."
    for wrong, problem in [
        (x, "the network was shown the clean image and not x_t."),
        (noise, "the network was shown the noise alone."),
        (kept * x + (1 - kept) * noise, "the roots are missing: the variances, not the factors, add up to 1."),
        ((1 - kept).sqrt() * x + kept.sqrt() * noise, "image and noise have each other's factor."),
        (kept.sqrt() * x + noise, "the noise has its full size at every time."),
        (x + (1 - kept).sqrt() * noise, "the image does not fade."),
        (alpha_bar.sqrt() * x + (1 - alpha_bar).sqrt() * noise,
         "alpha_bar was spread along the width: image 1's number went to column 1. Make it (N, 1, 1, 1)."),
    ]:  # fmt: skip
        expect(not _close(x_t, wrong), problem, hint)
    expect(_close(x_t, kept.sqrt() * x + (1 - kept).sqrt() * noise), "x_t is not what it should be.", hint)


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
