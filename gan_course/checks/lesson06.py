"""Checks for the exercises of lesson 06."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course.checks.framework import attempt, check, expect, expect_tensor


@check
def blind_referee(guess: Any) -> None:
    """G is told a digit and D is not: a tenth of the images show the digit asked for."""
    number = isinstance(guess, int | float) and not isinstance(guess, bool)
    expect(number, f"the guess should be a number, but is {guess!r}.", "For example `guess = 0.5`.")
    expect(0 <= guess <= 1, f"a share lies between 0 and 1, and {guess:g} does not.", "10 % is 0.1.")
    expect(
        guess < 0.6,
        "G is told the label, but nothing ever tells it to obey.",
        "G learns from D alone. What does D say of a fine 3 for which a 7 was asked?",
    )
    expect(guess > 0.03, "G does not avoid the digit asked for either: D would not notice that.", "Ten digits.")
    expect(
        guess <= 0.2,
        "that would be far better than chance.",
        "If the label means nothing to G, how often does a random digit happen to be the right one?",
    )


@check
def with_planes(function: Any) -> None:
    """Images (N, C, H, W) and labels to (N, C + K, H, W): K planes, of which one is all ones."""
    for channels, classes, dtype in ((1, 10, torch.float32), (3, 4, torch.float64)):
        images = torch.randn(5, channels, 6, 8, dtype=dtype, requires_grad=True)
        labels = torch.tensor([3, 0, 2, 3, 1])
        joined = attempt(function, images, labels, classes)
        is_one_plane = isinstance(joined, Tensor) and joined.shape == (5, channels + 1, 6, 8)
        expect(
            not is_one_plane,
            "there is one plane for all classes. Class 9 would be nine times class 1, and 2 between 1 and 3.",
            "A plane for each class: F.one_hot(labels, classes).",
        )
        expect_tensor(joined, (5, channels + classes, 6, 8), "the images with their planes")
        expect(
            torch.equal(joined[:, :channels].to(dtype), images),
            "the first channels are not the images any more.",
            "torch.cat([images, planes], 1): the images first, joined along the channels.",
        )
        planes, wanted = joined[:, channels:], F.one_hot(labels, classes).to(dtype)
        expect(
            (planes == planes[:, :, :1, :1]).all(),
            "a plane should hold the same number at every pixel: the label is about the whole image.",
            "(N, K) becomes (N, K, 1, 1), and then expand(-1, -1, H, W).",
        )
        found = planes[:, :, 0, 0]
        expect(
            ((found == 0) | (found == 1)).all() and (found.sum(1) == 1).all(),
            "of the K planes one should be all ones, and the others all zeros.",
            "That is a one-hot label.",
        )
        expect(
            torch.equal(found.to(dtype), wanted), "the ones stand in the plane of another class.", "Plane y, from 0."
        )
        expect(joined.requires_grad, "no gradient flows to the images, so G could not learn.", "No .detach().")


@check
def projection_logit(function: Any) -> None:
    """f(x) + <embed(y), phi(x)>, in value and gradient."""
    torch.manual_seed(1)
    head, embedding = nn.Linear(4, 1), nn.Embedding(3, 4)
    phi, labels = torch.randn(3, 4, requires_grad=True), torch.tensor([2, 0, 2])
    result = attempt(function, phi, labels, head, embedding)
    expect(
        not (isinstance(result, Tensor) and result.shape == (3, 3)),
        "the result has the shape (N, N): every image met every label, or (N, 1) was added to (N,).",
        "head(phi) has the shape (N, 1); .squeeze(1) makes it (N,). And multiply row by row, then sum over the row.",
    )
    expect_tensor(result, (3,), "the logits")
    rows = embedding(labels)
    f, products = head(phi).squeeze(1), rows * phi
    for mistake, problem, hint in (
        (f, "the label changes nothing: only f(x) is there.", "Add <embed(y), phi(x)>."),
        (products.sum(1), "f(x) is missing: nothing judges the image by itself.", "head(phi), plus the product."),
        (f + products.mean(1), "an inner product is a sum over the D features, not their mean.", ".sum(1)"),
        (f + rows.sum(1), "the label's vector was added without phi(x).", "Image and label meet only in the product."),
        (f + F.cosine_similarity(rows, phi), "the vectors were brought to length 1.", "The inner product as it is."),
        (f - products.sum(1), "the product was subtracted.", "Added."),
        (f * products.sum(1), "f(x) and the product were multiplied.", "Added."),
        (
            f + (phi @ embedding.weight.T).sum(1),
            "all classes were added up.",
            "embedding(labels): the row of each label.",
        ),
    ):
        expect(not torch.allclose(result, mistake, atol=1e-5), problem, hint)
    expect(torch.allclose(result, f + products.sum(1), atol=1e-5), "the logits are not f(x) + <embed(y), phi(x)>.")
    for what, tensor in (("phi", phi), ("the embedding", embedding.weight), ("f", head.weight)):
        (slope,) = torch.autograd.grad(result.sum(), tensor, retain_graph=True, allow_unused=True)
        expect(slope is not None and slope.any(), f"no gradient reaches {what}.", "No .detach(), no .item().")


@check
def class_terms(function: Any) -> None:
    """The class terms of ACGAN's two players: cross-entropies of logits."""
    torch.manual_seed(2)
    real, fake = torch.randn(2, 6, 10, requires_grad=True).unbind()
    labels = torch.tensor([0, 9, 3, 3, 7, 1])
    result = attempt(function, real, fake, labels)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two terms should be returned: D's and G's.", "return d_term, g_term")
    for name, term in zip(("D's term", "G's term"), result, strict=True):
        expect_tensor(term, (), name)
        expect(term.requires_grad, f"no gradient flows from {name}.", "No .item(), no .detach().")
    d_term, g_term = (term.item() for term in result)
    on_real, on_fake = (F.cross_entropy(part, labels).item() for part in (real, fake))
    twice = [F.cross_entropy(part.softmax(1), labels).item() for part in (real, fake)]
    for found, mistakes in ((d_term, (sum(twice),)), (g_term, (twice[1],))):
        expect(
            all(abs(found - value) > 1e-4 for value in mistakes),
            "a softmax was taken before the cross-entropy, which takes one itself: with ten classes the loss can never "
            "fall below 1.461.",
            "F.cross_entropy(logits, labels), with the logits as they are.",
        )
    expect(abs(d_term - on_real) > 1e-4, "D's term leaves out the fakes.", "The paper's L_C has both.")
    expect(abs(d_term - on_fake) > 1e-4, "D's term leaves out the real images.", "Those are the labels it can trust.")
    halved = abs(d_term - (on_real + on_fake) / 2) > 1e-4
    expect(halved, "D's term is halved: the paper adds the two.", "Mean over real plus mean over fake.")
    expect(abs(d_term - (on_real - on_fake)) > 1e-4, COLLABORATE, "D's term: both cross-entropies, added.")
    for found in (d_term, g_term):
        expect(found > 0, COLLABORATE, "A cross-entropy is above 0. An optimizer brings it down.")
    expect(abs(g_term - 6 * on_fake) > 1e-3, "G's term is a sum over the samples.", "An expectation is a mean.")
    expect(abs(g_term - on_real) > 1e-4, "G's term is about the real images, which G cannot change.", "Its fakes.")
    expect(abs(d_term - on_real - on_fake) < 1e-4, "D's term is not the two cross-entropies, added.")
    expect(abs(g_term - on_fake) < 1e-4, "G's term is not the cross-entropy of its fakes.", "The class asked for.")


COLLABORATE = "a class term has the wrong sign. About the class the players do not fight: both want it recognised."


@check
def conditional_batch_norm(function: Any) -> None:
    """The batch normalised as a whole, then a scale and a shift by class."""
    torch.manual_seed(3)
    x = 2 * torch.randn(6, 3, 4, 4) + torch.arange(6.0)[:, None, None, None]
    labels, scale, shift = torch.tensor([0, 1, 1, 3, 2, 0]), torch.rand(4, 3) + 0.5, torch.randn(4, 3)
    found = attempt(function, x, labels, scale, shift)
    expect_tensor(found, (6, 3, 4, 4), "the result")

    mistakes, wanted = _batch_norm_mistakes(x, labels, scale[labels], shift[labels])
    for value, problem, hint in mistakes:
        expect(not torch.allclose(found, value, atol=1e-3), problem, hint)
    expect(torch.allclose(found, wanted, atol=0.03), "the values are not normal * scale + shift.", CHANNELS)


CHANNELS = "One mean and one variance for each channel, over the batch and all pixels: x.mean((0, 2, 3))."


def _batch_norm_mistakes(x: Tensor, labels: Tensor, scale: Tensor, shift: Tensor) -> tuple[list, Tensor]:
    """Values that wrong formulas give, with the reason and a hint; and the right value. scale, shift: (N, C)."""

    def scaled(normal: Tensor, scale: Tensor = scale, shift: Tensor = shift) -> Tensor:
        return normal * scale[:, :, None, None] + shift[:, :, None, None]

    whole, by_class = F.batch_norm(x, None, None, training=True), torch.empty_like(x)
    for label in labels.unique():
        by_class[labels == label] = F.batch_norm(x[labels == label], None, None, training=True)
    centred, variance = x - x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True)
    same = scale[:1].expand_as(scale), shift[:1].expand_as(shift)
    formula = "x * scale + shift"
    mistakes = [
        (scaled(x), "nothing was normalised.", CHANNELS),
        (whole, "the classes change nothing.", "scale[labels] has a row for each sample, (N, C)."),
        (scaled(by_class), "each class was normalised by itself, which takes away what is typical of it.", CHANNELS),
        (scaled(F.instance_norm(x)), "each image was normalised by itself; that is InstanceNorm.", CHANNELS),
        (scaled(F.layer_norm(x, x.shape[1:])), "each image was normalised by itself; that is LayerNorm.", CHANNELS),
        (scaled((x - x.mean()) / x.std(correction=0)), "all channels were normalised together.", CHANNELS),
        (scaled(centred / variance), "you divided by the variance.", "Its square root."),
        (scaled(whole, shift=torch.zeros_like(shift)), "the shift is missing.", formula),
        (scaled(whole, scale=torch.ones_like(scale)), "the scale is missing.", formula),
        (scaled(whole, shift, scale), "scale and shift are swapped.", formula),
        (scaled(whole, *same), "all samples got the row of one class.", "scale[labels]"),
    ]
    return mistakes, scaled(whole)


@check
def morph(function: Any) -> None:
    """A walk from one class to another with one code: shares from one-hot to one-hot."""
    asked: list[tuple[Tensor, Tensor]] = []

    def telltale(z: Tensor, labels: Tensor) -> Tensor:
        asked.append((z.detach().clone(), labels.detach().clone()))
        return torch.zeros(len(z), 1, 2, 2)

    z = torch.randn(1, 6)
    images = attempt(function, telltale, z, 1, 3, 5, 6)
    expect_tensor(images, (6, 1, 2, 2), "the images")
    codes, labels = (torch.cat(parts) for parts in zip(*asked, strict=True))
    expect(
        labels.is_floating_point() and labels.ndim == 2,
        "the generator was asked for whole classes. On the way from 1 to 3 there is no class 2: the numbers of the "
        "classes are names.",
        "Mix the one-hot rows: (1 - t) * one_hot(start) + t * one_hot(end).",
    )
    expect(labels.shape == (6, 5), "the generator should be asked for shares of 5 classes, 6 times.", "(steps, K)")
    expect(torch.equal(codes, z.expand(6, -1)), "the code changed on the way, so the style did.", "z.expand(steps, -1)")
    ends = labels[0, 1] == 1 and labels[-1, 3] == 1
    expect(
        ends, "the walk should start at the first class and end at the second, both whole.", "torch.linspace(0, 1, n)"
    )
    expect(torch.allclose(labels.sum(1), torch.ones(6)), "the shares do not add up to 1.", "1 - t and t.")
    amounts = labels[:, 3]
    expect((labels[:, [0, 2, 4]] == 0).all(), "other classes than the two have a share.", "Two one-hot rows, mixed.")
    even = torch.allclose(amounts, torch.linspace(0, 1, 6), atol=1e-5)
    expect(even, "the steps are not of one length.", "torch.linspace(0, 1, steps)")
