"""Checks for the exercises of lesson 06."""

from __future__ import annotations

import re
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course.checks.framework import NotYet, attempt, check, expect, expect_number, expect_tensor


def _attempt(function: Any, *arguments: Any, errors: list[tuple[str, str]]) -> Any:
    """`attempt`, with a hint of their own for known errors: (what torch says as a regular expression, hint)."""
    try:
        return attempt(function, *arguments)
    except NotYet as problem:
        hints = [hint for said, hint in errors if re.search(said, problem.problem)]
        raise NotYet(problem.problem, (hints or [problem.hint])[0]) from None


def _slope(value: Tensor, of: Tensor) -> Tensor | None:
    """The gradient of a scalar, None if it does not depend on `of`."""
    try:
        return torch.autograd.grad(value, of, retain_graph=True, allow_unused=True)[0]
    except RuntimeError:
        hint = "No .backward() and no requires_grad_(False) inside the function."
        raise NotYet("no gradient can be taken of the result.", hint) from None


@check
def blind_referee(guess: Any) -> None:
    """G is told a digit and D is not: a tenth of the images show the digit asked for."""
    share = expect_number(guess, "the guess", "For example `guess = 0.5`.")
    expect(0 <= share <= 1, f"a share lies between 0 and 1, and {share:g} does not.", "For example, 70 % is 0.7.")
    expect(
        share < 0.6,
        "G is told the label, but nothing ever tells it to obey.",
        "G learns from D alone. What does D say of a fine 3 for which a 7 was asked?",
    )
    expect(share > 0.03, "G does not avoid the digit asked for either: D would not notice that.", "Ten digits.")
    expect(
        share <= 0.2,
        "that would be far better than chance.",
        "If the label means nothing to G, how often does a random digit happen to be the right one?",
    )


@check
def with_planes(function: Any) -> None:
    """Images (N, C, H, W) and labels to (N, C + K, H, W): K planes, of which one is all ones."""
    for channels, classes, dtype in ((1, 10, torch.float32), (3, 5, torch.float64)):
        images = torch.randn(7, channels, 6, 8, dtype=dtype, requires_grad=True)
        labels = torch.tensor([3, 0, 2, 3, 1, 0, 2])
        joined = _attempt(function, images, labels.clone(), classes, errors=PLANE_ERRORS)
        for planes, (problem, hint) in PLANE_NUMBERS.items():
            as_many = isinstance(joined, Tensor) and joined.shape == (7, channels + planes, 6, 8)
            expect(planes == classes or not as_many, problem, hint)
        expect_tensor(joined, (7, channels + classes, 6, 8), "the images with their planes")
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
        right = torch.equal(found.to(dtype), wanted)
        expect(right, "the ones stand in the plane of another class.", "Plane y, from 0.")
        expect(joined.requires_grad, "no gradient flows to the images, so G could not learn.", "No .detach().")


# Here the largest label is 3, and there are 10 classes or 5.
WITHOUT_CLASSES = "F.one_hot(labels, classes). Without `classes` it counts up to the largest label it happens to see."
TEN_PLANES = "`classes` says how many planes there are; 10 is right for the digits only."
PLANE_NUMBERS = {
    1: (
        "there is one plane for all classes. Class 9 would be nine times class 1, and 2 between 1 and 3.",
        "A plane for each class: F.one_hot(labels, classes).",
    ),
    4: ("there are planes up to the largest label only; the next batch could have more or fewer.", WITHOUT_CLASSES),
    10: ("there are ten planes, but five classes.", TEN_PLANES),
}
PLANE_ERRORS = [
    ("except in dimension [^1]", "They were joined along another dimension. The channels are dimension 1."),
    ("stack expects", "stack makes a new dimension. torch.cat([images, planes], 1) joins along the channels."),
    ("size 6 but got size 28", "28 belongs to MNIST; here the images are 6 x 8. H, W = images.shape[2:]."),
    ("size 6 but got size 8", "H and W are swapped: the height comes first. H, W = images.shape[2:]."),
    ("size 6 but got size 1 ", "A plane of one pixel. expand(-1, -1, H, W) repeats it over the whole image."),
    (r"existing size \(4\)", WITHOUT_CLASSES),
    (r"size of the tensor \(10\) must match the existing size \(5\)", TEN_PLANES),
    (r"same number of dimensions|Tensor sizes: \[7, \d+\]", "(N, K) becomes (N, K, 1, 1) by [:, :, None, None]."),
]


@check
def projection_logit(function: Any) -> None:
    """f(x) + <embed(y), phi(x)>, in value and gradient."""
    torch.default_generator.manual_seed(1)
    head, embedding = nn.Linear(4, 1), nn.Embedding(3, 4)
    phi, labels = torch.randn(5, 4, requires_grad=True), torch.tensor([2, 0, 2, 1, 0])
    result = _attempt(function, phi, labels.clone(), head, embedding, errors=PROJECTION_ERRORS)
    for shape, (problem, hint) in PROJECTION_SHAPES.items():
        expect(not (isinstance(result, Tensor) and result.shape == shape), problem, hint)
    column = isinstance(result, Tensor) and result.shape == (5, 1)
    logits = result.squeeze(1) if column else result
    expect_tensor(logits, (5,), "the logits")
    mistakes, wanted = _projection_mistakes(phi, labels, head, embedding)
    for mistake, problem, hint in mistakes:
        expect(not torch.allclose(logits.float(), mistake, atol=1e-5), problem, hint)
    right = torch.allclose(logits.float(), wanted, atol=1e-5)
    expect(right, "the logits are not f(x) + <embed(y), phi(x)>.", INNER)
    expect(not column, "the logits should have the shape (N,), but have (N, 1).", "head(phi).squeeze(1) is (N,).")
    expect(logits.requires_grad, "the values are right, but no gradient flows from them.", "No .detach(), no no_grad.")
    layers = (("the embedding", embedding.weight), ("head", head.weight), ("head's bias", head.bias))
    for what, tensor in (("phi", phi), *layers):
        slope, whole = _slope(logits.sum(), tensor), _slope(wanted.sum(), tensor)
        expect(slope is not None and slope.any(), f"no gradient reaches {what}.", "No .detach(), no .item().")
        both = "phi stands in head(phi) and in the product, and G learns through both. No .detach() in either."
        expect(torch.allclose(slope, whole, atol=1e-5), f"only a part of the gradient reaches {what}.", both)


INNER = "One number a sample from head, and one inner product: multiply row by row, then sum over the D features."
PROJECTION_ERRORS = [("out of range", "Labels count from 0, and so do the rows of an embedding: embedding(labels).")]
PROJECTION_SHAPES = {
    (5, 5): (
        "the result has the shape (N, N): every image met every label, or (N, 1) was added to (N,).",
        "head(phi) has the shape (N, 1); .squeeze(1) makes it (N,). And multiply row by row, then sum over the row.",
    ),
    (5, 3): ("there is a logit for every class.", "embedding(labels) is (N, D): the row of each sample's own label."),
    (5, 4): ("the result has the shape (N, D): the features are not added up.", INNER),
    (): ("there is one number for the whole batch.", "A logit for each sample: .sum(1), not .sum()."),
}


def _projection_mistakes(phi: Tensor, labels: Tensor, head: nn.Linear, embedding: nn.Embedding) -> tuple[list, Tensor]:
    """Logits that wrong formulas give, with the reason and a hint; and the right logits."""
    rows, f = embedding(labels), head(phi).squeeze(1)
    product, shifted = (rows * phi).sum(1), embedding.weight[labels - 1]
    only_added = "w (phi + e) = w phi + w e: the label that is only added, in another form. No product meets phi."
    squashed = "a sigmoid was taken: these are probabilities, and the losses take logits."
    mistakes = [
        (f, "the label changes nothing: only f(x) is there.", "Add <embed(y), phi(x)>."),
        (product, "f(x) is missing: nothing judges the image by itself.", "head(phi), plus the product."),
        (f + (rows * phi).mean(1), "an inner product is a sum over the D features, not their mean.", ".sum(1)"),
        (f + product.sum(), "the products of the whole batch were added up.", "Each row by itself: .sum(1)"),
        (f + (rows * phi).mean(), "the products of the whole batch were averaged.", "Each row by itself: .sum(1)"),
        (f + rows.sum(1), "the label's vector was added without phi(x).", "Image and label meet only in the product."),
        (head(phi + rows).squeeze(1), only_added, "head sees phi alone. Then add <embed(y), phi(x)>."),
        (head(phi * rows).squeeze(1), "the product went through head, and f(x) is missing.", INNER),
        (f + F.cosine_similarity(rows, phi), "the vectors were brought to length 1.", "The inner product as it is."),
        (f - product, "the product was subtracted.", "Added."),
        (f * product, "f(x) and the product were multiplied.", "Added."),
        (f - head.bias + product, "head's bias was forgotten.", "head(phi) adds it; head.weight alone does not."),
        ((f + product).sigmoid(), squashed, "Return the sum as it is."),
        (f + (shifted * phi).sum(1), "each label got the row of the one before.", "Labels count from 0."),
        (f + (phi @ embedding.weight.T).sum(1), "all classes were added up.", "embedding(labels): each label's row."),
    ]
    return mistakes, f + product


@check
def class_terms(function: Any) -> None:
    """The class terms of ACGAN's two players: cross-entropies of logits."""
    torch.default_generator.manual_seed(2)
    real, fake = torch.randn(2, 6, 10, requires_grad=True).unbind()
    labels = torch.tensor([0, 9, 3, 3, 7, 1])
    result = _attempt(function, real, fake, labels.clone(), errors=CLASS_ERRORS)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two terms should be returned: D's and G's.", "return d_term, g_term")
    for name, term in zip(("D's term", "G's term"), result, strict=True):
        expect_tensor(term, (), name)
        expect(term.requires_grad, f"no gradient flows from {name}.", "No .item(), no .detach().")
    d_term, g_term = (term.real.item() for term in result)
    for d_mistake, g_mistake, problem, hint in _class_mistakes(real, fake, labels):
        same = [
            mistake is None or abs(found - mistake) < 1e-4
            for found, mistake in ((d_term, d_mistake), (g_term, g_mistake))
        ]
        expect(not all(same), problem, hint)
    for found in (d_term, g_term):
        expect(found > 0, COLLABORATE, "A cross-entropy is above 0. An optimizer brings it down.")
    on_real, on_fake = (F.cross_entropy(part, labels).item() for part in (real, fake))
    right = abs(d_term - on_real - on_fake) < 1e-4
    expect(right, "D's term is not the two cross-entropies, added.", "F.cross_entropy of real, and of fake.")
    right = abs(g_term - on_fake) < 1e-4
    expect(right, "G's term is not the cross-entropy of its fakes.", "The class asked for: F.cross_entropy.")
    # D's step gets fakes without a graph, so a fake.detach() in D's term changes nothing, and is allowed.
    learns = _slope(result[0], real) is not None
    expect(learns, "no gradient of D's term comes from the real images.", "No .detach() on the real logits.")


COLLABORATE = "a class term has the wrong sign. About the class the players do not fight: both want it recognised."
SOFTMAX = (
    "a softmax was taken before the cross-entropy, which takes one itself: with ten classes the loss can never fall "
    "below 1.461."
)
ONE_OF_TEN = "An image has one of ten classes, so the ten probabilities share 1: F.cross_entropy(logits, labels)."
CLASS_ERRORS = [
    ("[Tt]arget size", f"Binary cross-entropy asks a yes-no question of each logit. {ONE_OF_TEN}"),
    ("elements of input should be between", f"Binary cross-entropy takes probabilities. {ONE_OF_TEN}"),
    ("probabilities, got Long|Found dtype Long|output type Long", f"The labels need no one-hot. {ONE_OF_TEN}"),
]


def _class_mistakes(real: Tensor, fake: Tensor, labels: Tensor) -> list[tuple[float | None, float | None, str, str]]:
    """What wrong formulas give as D's and as G's term (None: anything), the reason and a hint."""
    a, b = (F.cross_entropy(part, labels).item() for part in (real, fake))
    mistakes = [
        (b, a + b, "the terms are swapped: G's came first.", "return d_term, g_term"),
        (b, None, "D's term leaves out the real images.", "Those are the labels it can trust."),
        (a, None, "D's term leaves out the fakes.", "The paper's L_C has both."),
        ((a + b) / 2, None, "D's term is halved: the paper adds the two.", "Mean over real plus mean over fake."),
        (a - b, None, COLLABORATE, "D's term: both cross-entropies, added."),
        (b - a, None, COLLABORATE, "D's term: both cross-entropies, added."),
        (None, a + b, "G's term has the real images too, but real images give G no gradient.", "Its fakes only."),
        (None, a, "G's term is about the real images, which G cannot change.", "Its fakes."),
    ]
    raw = "nll_loss wants log-probabilities; it only picks one number of each row, and takes no logarithm."
    binary = "a binary cross-entropy asks ten yes-no questions, each by itself."
    one_hot = F.one_hot(labels, 10).float()
    losses = [
        (lambda x: F.cross_entropy(x.softmax(1), labels), SOFTMAX, "F.cross_entropy(logits, labels), as they are."),
        (lambda x: F.nll_loss(x, labels), raw, "F.cross_entropy is log_softmax, then nll_loss."),
        (lambda x: F.nll_loss(x.softmax(1), labels), raw, "F.cross_entropy is log_softmax, then nll_loss."),
        (lambda x: F.binary_cross_entropy_with_logits(x, one_hot), binary, ONE_OF_TEN),
        (lambda x: F.binary_cross_entropy(x.softmax(1), one_hot), binary, ONE_OF_TEN),
        (lambda x: F.cross_entropy(x, labels, reduction="sum"), "a term is a sum over the samples.", "A mean."),
    ]
    for loss, problem, hint in losses:
        on_real, on_fake = loss(real).item(), loss(fake).item()
        mistakes += [(on_real + on_fake, None, problem, hint), (None, on_fake, problem, hint)]
    return mistakes


@check
def conditional_batch_norm(function: Any) -> None:
    """The batch normalised as a whole, then a scale and a shift by class."""
    torch.default_generator.manual_seed(3)
    x = 2 * torch.randn(6, 3, 4, 4) + torch.arange(6.0)[:, None, None, None]
    labels, scale, shift = torch.tensor([0, 1, 1, 3, 2, 0]), torch.rand(4, 3) + 0.5, torch.randn(4, 3)
    answer = _attempt(function, *(t.clone() for t in (x, labels, scale, shift)), errors=BATCH_NORM_ERRORS)
    expect_tensor(answer, (6, 3, 4, 4), "the result")

    found = answer.float()
    mistakes, wanted = _batch_norm_mistakes(x, labels, scale[labels], shift[labels])
    for value, problem, hint in mistakes:
        expect(not torch.allclose(found, value, atol=1e-3), problem, hint)
    expect(torch.allclose(found, wanted, atol=0.03), "the values are not normal * scale + shift.", CHANNELS)


CHANNELS = "One mean and one variance for each channel, over the batch and all pixels: x.mean((0, 2, 3))."
DIVIDE = "First take the mean away, then divide by the root of the variance."
BATCH_NORM_ERRORS = [("must match the size", "scale[labels] is (N, C); [:, :, None, None] makes it (N, C, 1, 1).")]


def _batch_norm_mistakes(x: Tensor, labels: Tensor, scale: Tensor, shift: Tensor) -> tuple[list, Tensor]:
    """Values that wrong formulas give, with the reason and a hint; and the right value. scale, shift: (N, C)."""

    def scaled(normal: Tensor, scale: Tensor = scale, shift: Tensor = shift) -> Tensor:
        return normal * scale[:, :, None, None] + shift[:, :, None, None]

    whole, by_class = F.batch_norm(x, None, None, training=True), torch.empty_like(x)
    for label in labels.unique():
        by_class[labels == label] = F.batch_norm(x[labels == label], None, None, training=True)
    same = scale[:1].expand_as(scale), shift[:1].expand_as(shift)
    formula, shift_first = "normal * scale + shift", "the shift was added before the scale, which stretches it."
    mistakes = [
        (scaled(x), "nothing was normalised.", CHANNELS),
        (scaled(by_class), "each class was normalised by itself, which takes away what is typical of it.", CHANNELS),
        (scaled(x - x.mean((0, 2, 3), keepdim=True)), "the mean was taken away, but nothing was divided.", DIVIDE),
    ]
    for correction in (0, 1):  # with a variance over n and over n - 1
        mean, spread = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True, correction=correction)
        normal = (x - mean) / spread
        mistakes += [
            (scaled(x / spread), "it was divided, but the mean was not taken away.", DIVIDE),
            (scaled(normal / spread), "you divided by the variance.", "Its square root."),
            (normal, "the classes change nothing.", "scale[labels] has a row for each sample, (N, C)."),
            (scaled(normal, shift=torch.zeros_like(shift)), "the shift is missing.", formula),
            (scaled(normal, scale=torch.ones_like(scale)), "the scale is missing.", formula),
            (scaled(normal, shift, scale), "scale and shift are swapped.", formula),
            (scaled(normal, shift=scale * shift), shift_first, formula),
            (scaled(normal, 1 + scale), "1 was added to the scale.", f"The table holds all of it: {formula}"),
            (scaled(normal, *same), "all samples got the row of one class.", "scale[labels]"),
        ]
        for dims, problem in NORMS.items():
            normal = (x - x.mean(dims, keepdim=True)) / x.std(dims, keepdim=True, correction=correction)
            mistakes.append((scaled(normal), problem, CHANNELS))
    return mistakes, scaled(whole)


NORMS = {
    (2, 3): "each image was normalised by itself; that is InstanceNorm.",
    (1, 2, 3): "each image was normalised by itself; that is LayerNorm.",
    (0, 1, 2, 3): "all channels were normalised together.",
    (0,): "each pixel was normalised by itself, over the batch only and not over height and width.",
    (0, 1): "each pixel was normalised by itself, over the batch and the channels, not over height and width.",
}


@check
def morph(function: Any) -> None:
    """A walk from one class to another with one code: shares from one-hot to one-hot."""
    generator, z = _Telltale(), torch.randn(1, 4)
    images = _attempt(function, generator, z.clone(), 1, 3, 5, 6, errors=WALK_ERRORS)
    expect(generator.images, "the generator was never called.", "generator(z, shares) makes the images.")
    places = generator.places_of(images)
    expect_tensor(images, (6, 1, 2, 2), "the images")
    expect(
        all(shares.is_floating_point() and shares.ndim == 2 for shares in generator.shares),
        "the generator was asked for whole classes. On the way from 1 to 3 there is no class 2: the numbers of the "
        "classes are names.",
        MIX,
    )
    codes, rows = torch.cat(generator.codes)[places], torch.cat(generator.shares)[places].float()
    expect(torch.equal(codes, z.expand(6, -1)), "the code changed on the way, so the style did.", "z.expand(steps, -1)")
    first, last = rows[:, 1], rows[:, 3]
    swapped = _close(last[0], 1) and _close(first[-1], 1)
    expect(not swapped, "start and end are swapped.", "t goes from 0 to 1, and 1 - t belongs to the start.")
    expect(
        _close(first[0], 1) and _close(last[-1], 1),
        "the walk should start at the first class and end at the second, both whole.",
        "torch.linspace(0, 1, n)",
    )
    expect(_close(rows.sum(1), 1), "the shares do not add up to 1.", "1 - t and t.")
    others = rows[:, [0, 2, 4]]
    expect(_close(others, 0), "other classes than the two have a share.", "Two one-hot rows, mixed.")
    even = _close(last, torch.linspace(0, 1, 6))
    expect(even, "the steps are not of one length.", "torch.linspace(0, 1, steps)")


MIX = "Mix the one-hot rows: (1 - t) * one_hot(start) + t * one_hot(end)."
BLENDED = "you mixed two images; mix the labels. A cross-fade shows both pictures at once, and no digit between them."
WALK_ERRORS = [
    (r"z \(1, 4\) and shares", "Every step needs the code, and all of them the same: z.expand(steps, -1)."),
    (r"z \(6, 4\) and shares", "A row of shares for each step: t[:, None] has the shape (steps, 1)."),
    ("the generator takes", MIX),
    (r"tensor [ab] \(2\)", f"Only images have a size of 2 here: {BLENDED}"),
    (r"\(6\) must match the size of tensor b \(5\)", "t[:, None] has a row for each step."),
]


class _Telltale(nn.Module):
    """A generator that keeps what it was asked for. No two of its images are alike, so each tells where it is from."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: list[Tensor] = []
        self.shares: list[Tensor] = []
        self.images: list[Tensor] = []

    def forward(self, z: Tensor, shares: Tensor) -> Tensor:
        tensors = isinstance(z, Tensor) and isinstance(shares, Tensor)
        if not tensors or z.shape[1:] != (4,) or (shares.shape[1:] != (5,) and shares.shape != z.shape[:1]):
            raise TypeError("the generator takes z (N, 4) and shares (N, 5): a row for each image")
        if len(z) != len(shares):
            raise ValueError(f"z {tuple(z.shape)} and shares {tuple(shares.shape)} differ in the number of rows")
        images = 2 * torch.rand(len(z), 1, 2, 2) - 1
        if len(z):
            self.codes.append(z.detach().float().clone())
            self.shares.append(shares.detach().clone())
            self.images.append(images.clone())
        return images

    def places_of(self, images: Any) -> Tensor:
        """The number of each image among those made here, unless one of them is not."""
        if not isinstance(images, Tensor) or images.numel() == 0 or images.numel() % 4:
            expect_tensor(images, (6, 1, 2, 2), "the images")
        away = images.detach().to_dense().float().reshape(-1, 1, 4) - torch.cat(self.images).view(-1, 4)
        distance, places = away.abs().amax(2).min(1)
        blended = all(shares.ndim == 1 or ((shares == 0) | (shares == 1)).all() for shares in self.shares)
        known = not (distance > 1e-5).any()
        expect(known or not blended, BLENDED, MIX)
        expect(known, "the images are not those that the generator made.", "Return them as they are.")
        return places


def _close(found: Tensor, wanted: Tensor | float) -> bool:
    return bool(((found - wanted).abs() < 1e-5).all())
