"""Checks for the exercises of lesson 08."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course.checks.framework import attempt, check, expect, expect_number, expect_tensor, gradient_of


@check
def coin_flip(guess: Any) -> None:
    """White in 60 of 100 cases: L1 alone answers with the median, which is white."""
    guess = expect_number(guess, "the guess", "For example `guess = 0.5`.")
    expect(-1 <= guess <= 1, f"{guess:g} is no pixel: black is -1 and white is 1.", "From -1 to 1.")
    expect(
        abs(guess - 0.2) > 0.02,
        "0.2 is the mean, 0.6 - 0.4: the best answer to the squared error.",
        "The mean of |v - target| is 0.6 (1 - v) + 0.4 (1 + v). Where is it least?",
    )
    expect(abs(guess) > 0.02, "grey is not the best compromise: it is 1 away from every target.", COIN)
    expect(guess > 0, "that is nearer to the 40 black targets than to the 60 white ones.", COIN)
    expect(guess >= 0.9, f"from {guess:g} there is still something to gain.", COIN)


COIN = "Move the answer up by a little: 60 targets come nearer, 40 go away by as much."


@check
def receptive_field(function: Any) -> None:
    """A chain of convolutions, walked from the last to the first."""
    for layers in (
        [(4, 1)],
        [(3, 1), (3, 1)],
        [(3, 2), (5, 3), (4, 1)],
        [(5, 3), (3, 2), (4, 1)],
        [(1, 1), (1, 1)],
        [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)],
    ):
        found = attempt(function, list(layers))
        found = expect_number(found, "the result", "return side")
        for mistake, problem, hint in _field_mistakes(layers):
            expect(found != mistake or mistake == _field(layers), f"{problem} (for {layers})", hint)
        wanted = _field(layers)
        expect(found == wanted, f"for {layers} the square is {wanted} wide, and you say {found:g}.", FIELD)


FIELD = "Walk from the output to the image: side = (side - 1) * stride + kernel."


def _field(layers: list[tuple[int, int]]) -> int:
    side = 1
    for kernel, stride in reversed(layers):
        side = (side - 1) * stride + kernel
    return side


def _field_mistakes(layers: list[tuple[int, int]]) -> list[tuple[int, str, str]]:
    """Values that wrong walks give, with the reason and a hint."""
    no_minus = own_stride = jump = 1
    for kernel, stride in reversed(layers):
        no_minus = no_minus * stride + kernel
    for kernel, stride in layers:
        jump *= stride
        own_stride += (kernel - 1) * jump
    return [
        (_field(layers[::-1]), "you walked from the image to the output with the formula for the way back.", FIELD),
        (no_minus, "r outputs side by side are only r - 1 steps of the stride apart.", FIELD),
        (own_stride, "a layer's own stride does not widen what it sees itself; only later layers feel it.", FIELD),
        (sum(kernel - 1 for kernel, _ in layers) + 1, "the strides have no effect.", "They spread what comes later."),
        (sum(kernel for kernel, _ in layers), "the kernels were added up.", FIELD),
        (math.prod(kernel for kernel, _ in layers), "the kernels were multiplied: the windows overlap.", FIELD),
    ]


@check
def up_and_join(function: Any) -> None:
    """The transposed convolution at the size of the skip, joined with it along the channels."""
    torch.default_generator.manual_seed(1)
    for small, large in ((4, 8), (3, 7)):
        layer = nn.ConvTranspose2d(6, 3, 4, stride=2, padding=1)
        x, skip = torch.randn(2, 6, small, small, requires_grad=True), torch.randn(2, 5, large, large)
        _expect_that_sizes_meet(function, layer, x, skip)
        joined = attempt(function, layer, x, skip)
        expect(
            not (isinstance(joined, Tensor) and joined.shape[1:2] in ((3,), (5,))),
            "the result has as many channels as one of the two: they were added, or one is missing.",
            "torch.cat([up, skip], 1): a U-Net joins along the channels.",
        )
        expect_tensor(joined, (2, 8, large, large), "what is joined")
        up = layer(x, output_size=(large, large))
        expect(
            not torch.allclose(joined, torch.cat([skip, up], 1), atol=1e-5),
            "the skip comes first.",
            "First what comes from below, then the skip: the layers above were made for this order.",
        )
        expect(torch.equal(joined[:, 3:], skip), "the last channels are not the skip as it was.", "Join it unchanged.")
        padded = large % 2 and torch.allclose(joined[:, :3, :-1, :-1], layer(x), atol=1e-5)
        expect(
            not padded or torch.allclose(joined[:, :3], up, atol=1e-5),
            "the last row and column were filled up from outside; the layer can compute them itself.",
            "layer(x, output_size=skip.shape[-2:])",
        )
        same = torch.allclose(joined[:, :3], up, atol=1e-5)
        expect(same, "the first channels are not what the layer gives at this size.", "layer(x, output_size=...)")
        expect(joined.requires_grad, "no gradient flows to what comes from below.", "No .detach().")


def _expect_that_sizes_meet(function: Any, layer: nn.Module, x: Tensor, skip: Tensor) -> None:
    """Stop with a hint of its own where the two do not fit: added, or an odd size."""
    try:
        function(layer, x, skip)
    except RuntimeError as error:
        added = "The size of tensor a" in str(error)
        expect(not added, "the two were added, or multiplied.", "torch.cat([up, skip], 1) joins along the channels.")
        expect(
            "Sizes of tensors must match" not in str(error),
            "with a skip 7 wide the layer gave another width, and the two cannot be joined.",
            "Tell the layer which size you want: layer(x, output_size=skip.shape[-2:]).",
        )
    except Exception:  # `attempt` is called next, and says what it is
        return


@check
def pix2pix_losses(function: Any) -> None:
    """Non-saturating losses on pairs and L1, in value and in which gradients flow."""
    torch.default_generator.manual_seed(2)
    inputs, targets, seen = torch.randn(2, 1, 6, 6), torch.randn(2, 3, 6, 6), []
    outputs, kernel = torch.randn(2, 3, 6, 6, requires_grad=True), torch.randn(1, 4, 3, 3, requires_grad=True)

    def judge(pair: Tensor) -> Tensor:
        seen.append(pair)
        return F.conv2d(pair, kernel[:, -pair.shape[1] :])

    weight = 7.0
    result = attempt(function, judge, inputs, targets, outputs, weight)
    expect(
        all(pair.shape[1] == 4 for pair in seen),
        "D was shown something else than input and output together, four channels here. Seeing the output alone, it "
        "cannot know whether one belongs to the other.",
        "torch.cat([inputs, outputs], 1)",
    )
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two losses should be returned: D's and G's.", "return d_loss, g_loss")
    for name, loss in zip(("D's loss", "G's loss"), result, strict=True):
        expect_tensor(loss, (), name)
        expect(loss.requires_grad, f"no gradient flows from {name}.", "No .item(); detach only the fake in D's loss.")
    d_loss, g_loss = result
    on_real, on_fake = (judge(torch.cat([inputs, images], 1)) for images in (targets, outputs))
    g_right = F.softplus(-on_fake).mean() + weight * (outputs - targets).abs().mean()
    turned = abs(d_loss.item() - g_right.item()) < 1e-4
    expect(not turned, "the two losses are in the other order.", "return d_loss, g_loss")
    _check_d(d_loss.item(), on_real, on_fake, [judge(torch.cat([images, inputs], 1)) for images in (targets, outputs)])
    _check_g(g_loss.item(), on_fake, outputs - targets, weight)

    (slope,) = torch.autograd.grad(d_loss, outputs, retain_graph=True, allow_unused=True)
    expect(slope is None or not slope.any(), "D's loss reaches G through the fake.", "outputs.detach() in D's loss.")
    wanted = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
    learned, right = gradient_of(d_loss, kernel), gradient_of(wanted, kernel)
    flows = learned is not None and torch.allclose(learned, right, atol=1e-6)
    expect(flows, "D would not learn from both, the real pairs and the fakes.", "Detach the image, not the logit.")
    (slope,) = torch.autograd.grad(g_loss, outputs, retain_graph=True, allow_unused=True)
    (right,) = torch.autograd.grad(g_right, outputs)
    flows = slope is not None and torch.allclose(slope, right, atol=1e-6)
    expect(flows, "not all of G's loss reaches the output.", "In G's loss nothing is detached.")


def _check_d(found: float, on_real: Tensor, on_fake: Tensor, turned: list[Tensor]) -> None:
    """Name what is wrong with the value of D's loss. `turned`: its logits with output first."""
    plus = F.softplus
    for mistake, problem, hint in (
        (plus(-turned[0]).mean() + plus(turned[1]).mean(), "D sees the output first.", "The input first."),
        (plus(on_real).mean() + plus(-on_fake).mean(), "real and fake are swapped in D's loss.", "softplus(-real)."),
        (
            (plus(-on_real).mean() + plus(on_fake).mean()) / 2,
            "D's loss is halved; here it is not.",
            "Two means, added.",
        ),
        (plus(-on_real).sum() + plus(on_fake).sum(), "D's loss is a sum over the patches.", "A mean."),
        (plus(-on_real).mean() + plus(-on_fake).mean(), "D is paid for taking fakes for real.", "softplus(+fake)."),
        (plus(-on_real).mean(), "D's loss leaves out the fakes.", "softplus(fake)."),
        (plus(on_fake).mean(), "D's loss leaves out the real pairs.", "softplus(-real)."),
        (plus(-on_real.sigmoid()).mean() + plus(on_fake.sigmoid()).mean(), "D's logits went through a sigmoid.", ""),
    ):
        expect(abs(found - mistake.item()) > 1e-4, problem, hint)
    right = abs(found - (plus(-on_real).mean() + plus(on_fake).mean()).item()) < 1e-4
    expect(right, "D's loss is not softplus(-real) + softplus(fake), in the mean.", "Both on pairs.")


def _check_g(found: float, on_fake: Tensor, off: Tensor, weight: float) -> None:
    """Name what is wrong with the value of G's loss. `off`: outputs - targets."""
    adversarial, l1 = F.softplus(-on_fake).mean(), off.abs().mean()
    for mistake, problem, hint in (
        (adversarial + l1, "the weight of L1 is missing.", "weight * L1"),
        (adversarial + 100 * l1, "the weight is fixed at 100.", "Use the argument: weight * L1."),
        (weight * (adversarial + l1), "the weight is on both terms.", "It belongs to L1 alone."),
        (weight * adversarial + l1, "the weight is on the wrong term.", "It belongs to L1."),
        (adversarial + weight * off.square().mean(), "that is the squared error, L2.", ".abs()"),
        (adversarial + weight * off.abs().sum(), "L1 is a sum over all numbers.", "A mean."),
        (adversarial + weight * off.mean(), "L1 has no absolute value: too light and too dark cancel.", ".abs()"),
        (F.softplus(on_fake).mean() + weight * l1, "G is paid for being found out.", "softplus(-fake)."),
        (-F.softplus(on_fake).mean() + weight * l1, "that is the minimax loss, which saturates.", "softplus(-fake)."),
        (adversarial - weight * l1, "L1 is subtracted: G is paid for being far off.", "Added."),
        (adversarial, "L1 is missing from G's loss.", "weight * (outputs - targets).abs().mean()"),
        (weight * l1, "the adversarial term is missing from G's loss.", "softplus(-fake)."),
    ):
        expect(abs(found - mistake.item()) > 1e-4, problem, hint)
    right = abs(found - (adversarial + weight * l1).item()) < 1e-4
    hint = "adversarial + weight * (outputs - targets).abs().mean(); the adversarial term is that of pairs, too."
    expect(right, "G's loss is not softplus(-fake) + weight * L1, in the mean.", hint)


@check
def psnr(function: Any) -> None:
    """10 log10(range^2 / mean squared error) of each image, the range being 2."""
    torch.default_generator.manual_seed(3)
    targets = torch.rand(4, 3, 5, 7) * 2 - 1
    outputs = (targets + torch.tensor([0.02, 0.1, 0.3, 0.8])[:, None, None, None] * torch.randn_like(targets)).clamp(
        -1, 1
    )
    found = attempt(function, outputs, targets)
    expect(
        not (isinstance(found, Tensor) and found.ndim == 0) and not isinstance(found, float),
        "there is one number for the whole batch.",
        "A mean over channels and pixels only: .mean((1, 2, 3)).",
    )
    expect_tensor(found, (4,), "the result")
    error = (outputs - targets).square().mean((1, 2, 3))
    total = error * targets[0].numel()
    for mistake, problem, hint in (
        (10 * torch.log10(1 / error), "6 dB are missing: the range was taken for 1.", "Black is -1 and white is 1."),
        (10 * torch.log10(2 / error), "3 dB are missing: the range should be squared.", "range ** 2"),
        (10 * torch.log10(255**2 / error), "the range was taken for 255, that of 8-bit images.", "From -1 to 1."),
        (10 * torch.log(4 / error), "that is the natural logarithm.", "torch.log10"),
        (torch.log10(4 / error), "that is in bel. A decibel is a tenth of it.", "10 * torch.log10(...)"),
        (20 * torch.log10(4 / error), "20 goes with a ratio that is not squared.", "10, of range ** 2 / error."),
        (
            10 * torch.log10(4 / error.sqrt()),
            "the error should not be under a root.",
            "range ** 2 / mean squared error.",
        ),
        (10 * torch.log10(4 / total), "the error is a sum, not a mean.", ".mean((1, 2, 3))"),
        (
            10 * torch.log10(4 / (outputs - targets).square().mean((2, 3))).mean(1),
            "that is the mean of each channel's dB.",
            "First one error an image, over channels and pixels; then the logarithm.",
        ),
        (
            10 * torch.log10(4 / (outputs - targets).square()).mean((1, 2, 3)),
            "the logarithm was taken before the mean.",
            "First one error an image, over channels and pixels; then the logarithm.",
        ),
        (
            10 * torch.log10(error / 4),
            "the ratio is upside down: a better output should have more dB.",
            "range over error",
        ),
        (10 * torch.log10(error), "the range is missing, and the sign is wrong.", "range ** 2 / error"),
        (10 * torch.log10(4 / (outputs - targets).abs().mean((1, 2, 3))), "that is of L1.", "The squared error."),
    ):
        expect(not torch.allclose(found.float(), mistake, atol=1e-3), problem, hint)
    wanted = 10 * torch.log10(4 / error)
    right = torch.allclose(found.float(), wanted, atol=1e-3)
    expect(right, f"the first image has {wanted[0]:.2f} dB, and you say {found[0]:.2f}.", "10 log10(2^2 / error)")


@check
def spread(function: Any) -> None:
    """The standard deviation over answers to the same input; not over images, not over pixels."""
    inputs = torch.linspace(-1, 1, 3 * 8 * 8).reshape(3, 1, 8, 8)
    for noise in (0.3, 0.0):

        def translate(images: Tensor, noise: float = noise) -> Tensor:
            return 5 * images + noise * torch.randn_like(images)

        found = attempt(function, translate, inputs, 60)
        found = expect_number(found, "the result", "After the standard deviation, a mean over all that is left.")
        expect(math.isfinite(found), "the result is not a number.", "Is there more than one answer to each input?")
        if noise:
            far_too_small = found < noise / 4 or abs(found - noise * noise) < 0.01
            expect(not far_too_small, *_too_small(found, noise))
        expect(
            found < noise + 0.05,
            f"{found:.2f} is more than the noise, {noise:g}: you measured how different inputs, or pixels, differ.",
            "Over the answers to one input: torch.stack([...]).std(0).",
        )
        expect(abs(found - noise) < 0.03 * noise + 0.01, f"the noise is {noise:g}, and you say {found:.3f}.", ".std(0)")


def _too_small(found: float, noise: float) -> tuple[str, str]:
    """What a spread is that is far below the noise, and a hint."""
    if abs(found - noise * noise) <= 0.01:
        return "that is the variance.", "Its square root: .std(0)."
    return (
        f"{found:.3f} is far less than the noise, {noise:g}: it was averaged away, or there was one answer only.",
        "First the standard deviation of each pixel, then the mean.",
    )
