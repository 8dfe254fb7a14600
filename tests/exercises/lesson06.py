"""Answers to the exercises of lesson 06: others that are valid, and wrong ones with what the check must say."""

from __future__ import annotations

import torch
import torch.nn.functional as F

# Planes.


def planes(rows=lambda labels, classes: F.one_hot(labels, classes), join=lambda x, p: torch.cat([x, p], 1), size=None):
    """A way to join planes to images, with one thing changed."""

    def function(images, labels, classes):
        height, width = size or images.shape[2:]
        wide = rows(labels, classes).to(images.dtype)[:, :, None, None]
        return join(images, wide.expand(-1, -1, height, width))

    return function


def planes_by_scatter(images, labels, classes):
    found = images.new_zeros(len(images), classes, *images.shape[2:])
    found[torch.arange(len(images)), labels] = 1
    return torch.cat((images, found), dim=1)


def planes_by_eye(images, labels, classes):
    rows = torch.eye(classes, dtype=images.dtype)[labels]
    return torch.cat([images, rows.reshape(-1, classes, 1, 1).repeat(1, 1, *images.shape[2:])], -3)


def one_plane(images, labels, classes):
    plane = labels.to(images.dtype).reshape(-1, 1, 1, 1) / classes
    return torch.cat([images, plane.expand(-1, 1, *images.shape[2:])], 1)


def one_pixel(images, labels, classes):
    found = images.new_zeros(len(images), classes, *images.shape[2:])
    found[torch.arange(len(images)), labels, 0, 0] = 1
    return torch.cat([images, found], 1)


# Projection.


def projection(combine=lambda f, product: f + product, product=lambda rows, phi: (rows * phi).sum(1)):
    """The projection logit, with one thing changed."""

    def function(phi, labels, head, embedding):
        return combine(head(phi).squeeze(1), product(embedding(labels), phi))

    return function


def projection_by_shift(phi, labels, head, embedding):
    """The label moves the last layer's weights."""
    return ((head.weight + embedding.weight[labels]) * phi).sum(1) + head.bias


# Conditional BatchNorm.


def batch_norm(statistics=(0, 2, 3), rows=lambda table, labels: table[labels], root=lambda v: (v + 1e-5).sqrt()):
    """BatchNorm by class, with one thing changed."""

    def function(x, labels, scale, shift):
        mean = x.mean(statistics, keepdim=True)
        variance = x.var(statistics, keepdim=True, correction=0)
        scale, shift = (rows(table, labels)[:, :, None, None] for table in (scale, shift))
        return (x - mean) / root(variance) * scale + shift

    return function


def batch_norm_of_torch(x, labels, scale, shift):
    one_hot = F.one_hot(labels, len(scale)).float()
    normal = torch.nn.BatchNorm2d(x.shape[1], affine=False)(x)
    return torch.addcmul((one_hot @ shift)[..., None, None], normal, (one_hot @ scale)[..., None, None])


def batch_norm_of_each_class(x, labels, scale, shift):
    found = torch.empty_like(x)
    for label in labels.unique():
        mine = labels == label
        found[mine] = batch_norm()(x[mine], labels[mine], scale, shift)
    return found


# The walk between classes.


def walk(amounts=lambda steps: torch.linspace(0, 1, steps), shares=None, codes=lambda z, steps: z.expand(steps, -1)):
    """A walk between classes, with one thing changed."""

    def mixed(t, start, end):
        return (1 - t) * start + t * end

    def function(generator, z, start, end, classes, steps):
        t = amounts(steps)[:, None]
        first, last = torch.eye(classes)[start], torch.eye(classes)[end]
        return generator(codes(z, steps), (shares or mixed)(t, first, last))

    return function


def walk_step_by_step(generator, z, start, end, classes, steps):
    images = []
    for i in range(steps):
        shares = torch.zeros(1, classes)
        shares[0, start] += 1 - i / (steps - 1)
        shares[0, end] += i / (steps - 1)
        images.append(generator(z, shares))
    return torch.cat(images)


def walk_through_numbers(generator, z, start, end, classes, steps):
    return generator(z.expand(steps, -1), torch.linspace(start, end, steps).round().long())


def walk_through_codes(generator, z, start, end, classes, steps):
    return walk(codes=lambda z, steps: torch.lerp(z, torch.randn_like(z), torch.linspace(0, 1, steps)[:, None]))(
        generator, z, start, end, classes, steps
    )


CE = F.cross_entropy


def log_probabilities(real, fake, labels):
    """A log-softmax may be taken twice: the second changes nothing."""
    rows = torch.arange(len(labels))
    on_real, on_fake = (-part.log_softmax(1)[rows, labels].mean() for part in (real, fake))
    return on_real + on_fake, on_fake


VALID = {
    "blind_referee": [0.1, 0.12, 0.05],
    "with_planes": [planes(), planes_by_scatter, planes_by_eye],
    "projection_logit": [
        projection(),
        projection_by_shift,
        projection(product=lambda r, p: torch.einsum("nd,nd->n", r, p)),
    ],
    "class_terms": [
        log_probabilities,
        lambda r, f, y: (2 * CE(torch.cat([r, f]), torch.cat([y, y])), CE(f.log_softmax(1), y)),
    ],
    "conditional_batch_norm": [batch_norm(), batch_norm_of_torch, batch_norm(root=lambda v: v.sqrt())],
    "morph": [walk(), walk_step_by_step, walk(shares=lambda t, a, b: torch.lerp(a.expand(len(t), -1), b, t))],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "blind_referee": [
        (1.0, "nothing ever tells it to obey"),
        (0.9, "nothing ever tells it to obey"),
        (0.5, "far better than chance"),
        (0.0, "does not avoid"),
        (10, "between 0 and 1"),
        ("a tenth", "should be a number"),
    ],
    "with_planes": [
        (one_plane, "one plane for all classes"),
        (lambda x, y, k: torch.cat([x, F.one_hot(y, k)[:, :, None, None].to(x)], 1), "raised RuntimeError"),
        (planes(join=lambda x, p: torch.cat([p, x], 1)), "first channels are not the images"),
        (planes(join=lambda x, p: torch.cat([x.detach(), p], 1)), "no gradient flows"),
        (planes(rows=lambda y, k: F.one_hot(k - 1 - y, k)), "plane of another class"),
        (planes(rows=lambda y, k: F.one_hot(y, k) * (y[:, None] + 1)), "one should be all ones"),
        (planes(rows=lambda y, k: 1 - F.one_hot(y, k)), "one should be all ones"),
        (one_pixel, "same number at every pixel"),
        (lambda x, y, k: x, "should have the shape"),
        (lambda x, y, k: torch.cat([x, torch.eye(k)[y].to(x)], 1), "raised RuntimeError"),
    ],
    "projection_logit": [
        (lambda phi, y, f, e: f(phi) + (e(y) * phi).sum(1), r"shape \(N, N\)"),
        (lambda phi, y, f, e: f(phi).squeeze(1) + e(y) @ phi.T, r"shape \(N, N\)"),
        (lambda phi, y, f, e: f(phi).squeeze(1), "the label changes nothing"),
        (projection(lambda f, p: p), r"f\(x\) is missing"),
        (projection(product=lambda r, p: (r * p).mean(1)), "not their mean"),
        (projection(product=lambda r, p: r.sum(1)), "without phi"),
        (projection(product=F.cosine_similarity), "brought to length 1"),
        (projection(lambda f, p: f - p), "subtracted"),
        (projection(lambda f, p: f * p), "multiplied"),
        (lambda phi, y, f, e: f(phi).squeeze(1) + (phi @ e.weight.T).sum(1), "all classes were added up"),
        (projection(product=lambda r, p: (r.detach() * p).sum(1)), "no gradient reaches the embedding"),
        (projection(lambda f, p: (f + p).sigmoid()), "the logits are not"),
        (lambda phi, y, f, e: f(phi) + (e(y) * phi).sum(1, keepdim=True), "should have the shape"),
    ],
    "class_terms": [
        (lambda r, f, y: (CE(r.softmax(1), y) + CE(f.softmax(1), y), CE(f.softmax(1), y)), "a softmax was taken"),
        (lambda r, f, y: (CE(r, y) + CE(f, y), CE(f.softmax(1), y)), "a softmax was taken"),
        (lambda r, f, y: (CE(r, y), CE(f, y)), "leaves out the fakes"),
        (lambda r, f, y: (CE(f, y), CE(f, y)), "leaves out the real"),
        (lambda r, f, y: ((CE(r, y) + CE(f, y)) / 2, CE(f, y)), "is halved"),
        (lambda r, f, y: (CE(r, y) - CE(f, y), CE(f, y)), "do not fight"),
        (lambda r, f, y: (CE(r, y) + CE(f, y), -CE(f, y)), "do not fight"),
        (lambda r, f, y: (CE(r, y) + CE(f, y), CE(r, y)), "which G cannot change"),
        (lambda r, f, y: (CE(r, y) + CE(f, y), CE(f, y, reduction="sum")), "sum over the samples"),
        (lambda r, f, y: (CE(r, y) + CE(f, y), CE(f, y).detach()), "no gradient flows from G's"),
        (lambda r, f, y: (CE(r, y) + CE(f, y), CE(f, y).reshape(1)), r"should have the shape \(\)"),
        (lambda r, f, y: CE(r, y) + CE(f, y), "two terms"),
        (lambda r, f, y: (CE(r, y) + CE(f, y), (f.softmax(1) - F.one_hot(y, 10)).square().mean()), "G's term is not"),
    ],
    "conditional_batch_norm": [
        (batch_norm_of_each_class, "each class was normalised by itself"),
        (batch_norm(statistics=(2, 3)), "InstanceNorm"),
        (batch_norm(statistics=(1, 2, 3)), "LayerNorm"),
        (batch_norm(statistics=(0, 1, 2, 3)), "all channels were normalised together"),
        (batch_norm(rows=lambda table, labels: table[labels[:1]].expand(len(labels), -1)), "row of one class"),
        (lambda x, y, a, b: F.batch_norm(x, None, None, training=True), "classes change nothing"),
        (lambda x, y, a, b: x * a[y][:, :, None, None] + b[y][:, :, None, None], "nothing was normalised"),
        (lambda x, y, a, b: batch_norm()(x, y, a, 0 * b), "the shift is missing"),
        (lambda x, y, a, b: batch_norm()(x, y, torch.ones_like(a), b), "the scale is missing"),
        (lambda x, y, a, b: batch_norm()(x, y, b, a), "swapped"),
        (lambda x, y, a, b: F.batch_norm(x, None, None, a, b, training=True), "raised RuntimeError"),
        (lambda x, y, a, b: (x - x.mean((0, 2, 3), True)) / (x.var((0, 2, 3), keepdim=True))
         * a[y][:, :, None, None] + b[y][:, :, None, None], "divided by the variance"),
    ],
    "morph": [
        (walk_through_numbers, "names"),
        (walk_through_codes, "the code changed on the way"),
        (walk(codes=lambda z, n: torch.randn(n, z.shape[1])), "the code changed"),
        (walk(amounts=lambda n: torch.linspace(0, 1, n + 2)[1:-1]), "both whole"),
        (walk(amounts=lambda n: torch.arange(n) / n), "both whole"),
        (walk(amounts=lambda n: torch.linspace(1, 0, n)), "start at the first"),
        (walk(shares=lambda t, a, b: a + t * b), "do not add up|both whole"),
        (walk(amounts=lambda n: torch.linspace(0, 1, n) ** 2), "not of one length"),
        (walk(shares=lambda t, a, b: torch.where(t < 0.5, a, b)), "not of one length"),
    ],
}  # fmt: skip
