"""Answers to the exercises of lesson 08: others that are valid, and wrong ones with what the check must say."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

# Receptive fields.


def field_forwards(layers):
    """From the image to the output: each layer adds its kernel less one, in steps of the strides before it."""
    side, jump = 1, 1
    for kernel, stride in layers:
        side += (kernel - 1) * jump
        jump *= stride
    return side


def field_by_recursion(layers):
    if not layers:
        return 1
    (kernel, stride), *rest = layers
    return torch.tensor((field_by_recursion(rest) - 1) * stride + kernel)


def field(order=reversed, step=lambda side, kernel, stride: (side - 1) * stride + kernel):
    """The walk from the output, with one thing changed."""

    def function(layers):
        side = 1
        for kernel, stride in order(layers):
            side = step(side, kernel, stride)
        return side

    return function


def field_with_own_stride(layers):
    side, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        side += (kernel - 1) * jump
    return side


# One step up.


def up_in_place(layer, x, skip):
    joined = skip.new_empty(len(x), layer.out_channels + skip.shape[1], *skip.shape[2:])
    joined[:, : layer.out_channels] = layer(x, output_size=list(skip.shape[2:]))
    joined[:, layer.out_channels :] = skip
    return joined


def up_by_functional(layer, x, skip):
    extra = [want - (2 * have - 2 + 4 - 2) for want, have in zip(skip.shape[2:], x.shape[2:], strict=True)]
    up = F.conv_transpose2d(x, layer.weight, layer.bias, stride=2, padding=1, output_padding=extra)
    return torch.cat((up, skip), dim=-3)


def up(fit=lambda layer, x, size: layer(x, output_size=size), join=lambda u, s: torch.cat([u, s], 1)):
    """The step, with one thing changed."""

    def function(layer, x, skip):
        return join(fit(layer, x, skip.shape[-2:]), skip)

    return function


def padded(layer, x, size):
    made = layer(x)
    return F.pad(made, (0, size[1] - made.shape[3], 0, size[0] - made.shape[2]))


def up_and_shrink(layer, x, skip):
    made = layer(x)
    return torch.cat([made, F.interpolate(skip, made.shape[-2:])], 1)


# The two losses.


def pair(x, y):
    return torch.cat([x, y], 1)


def l1(a, b):
    return (a - b).abs().mean()


plus = F.softplus


def on_real_term(logits):
    return plus(-logits).mean()


def on_fake_term(logits):
    return plus(logits).mean()


def both(
    real=on_real_term,
    fake=on_fake_term,
    passes=on_real_term,
    distance=l1,
    detach=torch.detach,
    joined=pair,
    total=lambda adversarial, l1, weight: adversarial + weight * l1,
    halve=1.0,
):
    """The losses, with one thing changed."""

    def function(discriminator, x, y, made, weight):
        d_loss = halve * (real(discriminator(joined(x, y))) + fake(discriminator(joined(x, detach(made)))))
        return d_loss, total(passes(discriminator(joined(x, made))), distance(made, y), weight)

    return function


def losses_by_bce(discriminator, x, y, made, weight):
    """Cross-entropies with logits, D on one batch of both kinds."""
    logits = discriminator(torch.cat([pair(x, y), pair(x, made.detach())]))
    real, fake = logits.chunk(2)
    bce = F.binary_cross_entropy_with_logits
    d_loss = bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))
    again = discriminator(pair(x, made))
    return d_loss, bce(again, torch.ones_like(again)) + weight * F.l1_loss(made, y)


def losses_by_logsigmoid(discriminator, x, y, made, weight):
    real, fake = discriminator(pair(x, y)), discriminator(pair(x, made.detach()))
    d_loss = -(F.logsigmoid(real) + F.logsigmoid(-fake)).mean()
    return [d_loss, -F.logsigmoid(discriminator(pair(x, made))).mean() + weight * l1(y, made)]


# PSNR.


def decibel(error=lambda a, b: (a - b).square().mean((1, 2, 3)), peak=4.0, log=torch.log10, times=10):
    """PSNR, with one thing changed."""
    return lambda a, b: times * log(peak / error(a, b))


# Noise.


def spread_of_one_batch(translate, inputs, times):
    answers = translate(inputs.repeat_interleave(times, 0)).unflatten(0, (len(inputs), times))
    return answers.std(1, correction=0).mean().item()


def spread_by_moments(translate, inputs, times):
    total, squares = torch.zeros_like(inputs), torch.zeros_like(inputs)
    for _ in range(times):
        answer = translate(inputs)
        total, squares = total + answer, squares + answer**2
    return (squares / times - (total / times) ** 2).clamp_min(0).sqrt().mean()


def answers_of(translate, inputs, times):
    return torch.stack([translate(inputs) for _ in range(times)])


VALID = {
    "coin_flip": [1, 0.95, torch.tensor(1.0)],
    "receptive_field": [field_forwards, field_by_recursion, field()],
    "up_and_join": [up(), up_in_place, up_by_functional],
    "pix2pix_losses": [both(), losses_by_bce, losses_by_logsigmoid],
    "psnr": [
        decibel(),
        lambda a, b: 20 * torch.log10(2 / (a - b).square().flatten(1).mean(1).sqrt()),
        lambda a, b: torch.stack([10 * torch.log10(4 / F.mse_loss(x, y)) for x, y in zip(a, b, strict=True)]),
    ],
    "spread": [spread_of_one_batch, spread_by_moments, lambda t, x, n: answers_of(t, x, n).std(0).mean().item()],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "coin_flip": [
        (0.2, "the mean"),
        (0.0, "grey"),
        (-1, "40 black"),
        (0.6, "something to gain"),
        (60, "no pixel"),
        ("white", "should be a number"),
        (True, "should be a number"),
    ],
    "receptive_field": [
        (field(order=list), "from the image to the output"),
        (field(step=lambda side, k, s: side * s + k), "r - 1 steps"),
        (field_with_own_stride, "own stride"),
        (lambda layers: sum(k - 1 for k, _ in layers) + 1, "strides have no effect"),
        (lambda layers: sum(k for k, _ in layers), "added up"),
        (lambda layers: math.prod(k for k, _ in layers), "multiplied"),
        (lambda layers: f"{field()(layers)}x{field()(layers)}", "should be a number"),
        (lambda layers: field()(layers) ** 2, "wide, and you say"),
        (lambda layers: field()([*layers, layers[-1]]), "wide, and you say"),
    ],
    "up_and_join": [
        (up(fit=lambda layer, x, size: layer(x)), "another width, and the two cannot be joined"),
        (lambda layer, x, skip: layer(x, output_size=skip.shape[-2:]) + skip, "were added"),
        (up(fit=padded), "filled up from outside"),
        (up(fit=lambda layer, x, size: F.interpolate(layer(x), size)), "not what the layer gives"),
        (up(join=lambda u, s: torch.cat([s, u], 1)), "the skip comes first"),
        (up(join=lambda u, s: u), "they were added, or one is missing"),
        (up(join=lambda u, s: u + s[:, :3]), "they were added, or one is missing"),
        (up(join=lambda u, s: torch.cat([u, s.relu()], 1)), "not the skip as it was"),
        (up(join=lambda u, s: torch.cat([u.detach(), s], 1)), "no gradient"),
        (up_and_shrink, "should have the shape"),
    ],
    "pix2pix_losses": [
        (both(joined=lambda x, y: y), "Seeing the output alone"),
        (both(joined=lambda x, y: torch.cat([y, x], 1)), "output first"),
        (both(real=on_fake_term, fake=on_real_term), "swapped"),
        (both(halve=0.5), "halved"),
        (both(real=lambda r: plus(-r).sum(), fake=lambda f: plus(f).sum()), "sum over the patches"),
        (both(fake=on_real_term), "taking fakes for real"),
        (both(fake=lambda f: 0 * f.mean()), "leaves out the fakes"),
        (both(real=lambda r: 0 * r.mean()), "leaves out the real"),
        (both(real=lambda r: plus(-r.sigmoid()).mean(), fake=lambda f: plus(f.sigmoid()).mean()), "sigmoid"),
        (both(detach=lambda made: made), "D's loss reaches G"),
        (both(fake=lambda f: plus(f).detach().mean()), "D would not learn from both"),
        (both(real=lambda r: plus(-r).detach().mean()), "D would not learn from both"),
        (lambda d, x, y, made, w: both()(d, x, y, made, w)[::-1], "in the other order"),
        (both(total=lambda a, d, w: a + 100 * d), "fixed at 100"),
        (both(total=lambda a, d, w: a + d), "weight of L1 is missing"),
        (both(total=lambda a, d, w: w * (a + d)), "on both terms"),
        (both(total=lambda a, d, w: w * a + d), "on the wrong term"),
        (both(total=lambda a, d, w: a - w * d), "subtracted"),
        (both(total=lambda a, d, w: a), "L1 is missing"),
        (both(total=lambda a, d, w: w * d), "adversarial term is missing"),
        (both(total=lambda a, d, w: a.detach() + w * d), "not all of G's loss"),
        (both(distance=F.mse_loss), "squared error"),
        (both(distance=lambda a, b: (a - b).abs().sum()), "a sum over all"),
        (both(distance=lambda a, b: (a - b).mean()), "no absolute value"),
        (both(passes=on_fake_term), "being found out"),
        (both(passes=lambda f: -plus(f).mean()), "minimax"),
        (lambda d, x, y, made, w: both()(d, x, y, made, w)[0], "two losses"),
        (lambda d, x, y, made, w: [loss.item() for loss in both()(d, x, y, made, w)], "should be a tensor"),
    ],
    "psnr": [
        (decibel(peak=1.0), "range was taken for 1"),
        (decibel(peak=2.0), "should be squared"),
        (decibel(peak=255.0**2), "255"),
        (decibel(log=torch.log), "natural logarithm"),
        (decibel(times=1), "bel"),
        (decibel(times=20), "20 goes with"),
        (decibel(error=lambda a, b: (a - b).square().mean((1, 2, 3)).sqrt()), "under a root"),
        (decibel(error=lambda a, b: (a - b).square().sum((1, 2, 3))), "a sum, not a mean"),
        (lambda a, b: decibel(error=lambda a, b: (a - b).square().mean((2, 3)))(a, b).mean(1), "each channel's dB"),
        (lambda a, b: decibel(error=lambda a, b: (a - b).square())(a, b).mean((1, 2, 3)), "before the mean"),
        (decibel(error=lambda a, b: (a - b).square().mean()), "one number for the whole batch"),
        (decibel(error=lambda a, b: (a - b).abs().mean((1, 2, 3))), "that is of L1"),
        (decibel(times=-10), "upside down"),
        (lambda a, b: 10 * torch.log10((a - b).square().mean((1, 2, 3))), "the range is missing"),
        (decibel(error=lambda a, b: (a - b).square()), "should have the shape"),
    ],
    "spread": [
        (lambda t, x, n: answers_of(t, x, n).std(), "different inputs, or pixels"),
        (lambda t, x, n: answers_of(t, x, n).std(1).mean(), "different inputs, or pixels"),
        (lambda t, x, n: t(x).std(0).mean(), "different inputs, or pixels"),
        (lambda t, x, n: answers_of(t, x, n).var(0).mean(), "variance"),
        (lambda t, x, n: answers_of(t, x, n).mean((1, 2, 3, 4)).std(0), "averaged away"),
        (lambda t, x, n: torch.stack([t(x)] * n).std(0).mean(), "one answer only"),
        (lambda t, x, n: t(x)[None].std(0).mean(), "not a number"),
        (lambda t, x, n: answers_of(t, x, n).std(0), "should be a number"),
        (lambda t, x, n: answers_of(t, x, n).std(0).mean() / n**0.5, "and you say|averaged away"),
    ],
}  # fmt: skip
