"""Answers to the exercises of lesson 06: others that are valid, and wrong ones with what the check must say."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

# Planes.


def planes(rows=lambda labels, classes: F.one_hot(labels, classes), join=lambda x, p: torch.cat([x, p], 1), size=None):
    """A way to join planes to images, with one thing changed."""

    def function(images, labels, classes):
        height, width = size(images) if size else images.shape[2:]
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


def planes_by_fixed_expand(rows):
    """Planes that are expanded to (N, classes, H, W), whatever number there is."""

    def function(images, labels, classes):
        found = rows(labels, classes)[:, :, None, None]
        return torch.cat([images, found.expand(len(images), classes, *images.shape[2:])], 1)

    return function


# Projection.


def projection(combine=lambda f, product: f + product, product=lambda rows, phi: (rows * phi).sum(1)):
    """The projection logit, with one thing changed."""

    def function(phi, labels, head, embedding):
        return combine(head(phi).squeeze(1), product(embedding(labels), phi))

    return function


def projection_by_shift(phi, labels, head, embedding):
    """The label moves the last layer's weights."""
    return ((head.weight + embedding.weight[labels]) * phi).sum(1) + head.bias


def projection_detached(phi, labels, head, embedding):
    return projection()(phi, labels, head, embedding).detach()


def projection_used_up(phi, labels, head, embedding):
    logits = projection()(phi, labels, head, embedding)
    (logits**2).exp().sum().backward()
    return logits


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


def batch_norm_in_place(x, labels, scale, shift):
    x -= x.mean((0, 2, 3), keepdim=True)
    x /= x.square().mean((0, 2, 3), keepdim=True).add(1e-5).sqrt()
    return x.mul_(scale[labels][..., None, None]).add_(shift[labels][..., None, None])


def batch_norm_by_parts(combine, correction=0):
    """Normal values, scale and shift, all ready to be put together."""

    def function(x, labels, scale, shift):
        normal = (x - x.mean((0, 2, 3), True)) / x.std((0, 2, 3), keepdim=True, correction=correction)
        return combine(normal, *(table[labels][:, :, None, None] for table in (scale, shift)))

    return function


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


def walk_backwards_and_turned(generator, z, start, end, classes, steps):
    return walk()(generator.eval(), z, end, start, classes, steps).flip(0)


def walk_of_doubles(generator, z, start, end, classes, steps):
    t = torch.linspace(0, 1, steps, dtype=torch.float64)[:, None]
    first, last = torch.eye(classes, dtype=torch.float64)[[start, end]]
    return generator(z.expand(steps, -1), (1 - t) * first + t * last)


def blend(ask=lambda label, classes: torch.eye(classes)[[label]], axes=(1, 1, 1)):
    """Two pictures cross-faded."""

    def function(generator, z, start, end, classes, steps):
        first, last = (generator(z, ask(label, classes)) for label in (start, end))
        t = torch.linspace(0, 1, steps).view(-1, *axes)
        return (1 - t) * first + t * last

    return function


def blend_in_one_call(generator, z, start, end, classes, steps):
    first, last = generator(z.expand(2, -1), torch.eye(classes)[[start, end]])
    return torch.stack([torch.lerp(first, last, i / (steps - 1)) for i in range(steps)])


def walk_without_a_column(generator, z, start, end, classes, steps):
    t = torch.linspace(0, 1, steps)
    return generator(z.expand(steps, -1), (1 - t) * torch.eye(classes)[start] + t * torch.eye(classes)[end])


def walk_in_rows_without_batch(generator, z, start, end, classes, steps):
    first, last = torch.eye(classes)[[start, end]]
    return torch.cat([generator(z, torch.lerp(first, last, float(t))) for t in torch.linspace(0, 1, steps)])


def walk_through_numbers(generator, z, start, end, classes, steps):
    return generator(z.expand(steps, -1), torch.linspace(start, end, steps).round().long())


def walk_through_codes(generator, z, start, end, classes, steps):
    return walk(codes=lambda z, steps: torch.lerp(z, torch.randn_like(z), torch.linspace(0, 1, steps)[:, None]))(
        generator, z, start, end, classes, steps
    )


CE = F.cross_entropy


def terms(loss):
    """D's term and G's from a loss of (logits, labels)."""
    return lambda r, f, y: (loss(r, y) + loss(f, y), loss(f, y))


def one_hot(labels):
    return F.one_hot(labels, 10).float()


def used_up(real, fake, labels):
    d_term, g_term = terms(CE)(real, fake, labels)
    d_term.backward()
    return d_term, g_term


def log_probabilities(real, fake, labels):
    """A log-softmax may be taken twice: the second changes nothing."""
    rows = torch.arange(len(labels))
    on_real, on_fake = (-part.log_softmax(1)[rows, labels].mean() for part in (real, fake))
    return on_real + on_fake, on_fake


VALID = {
    "blind_referee": [0.1, 0.12, 0.05, torch.tensor(0.1), torch.tensor([0.1]), np.float32(0.1), np.array(0.1)],
    "with_planes": [planes(), planes_by_scatter, planes_by_eye],
    "projection_logit": [
        projection(),
        projection_by_shift,
        projection(product=lambda r, p: torch.einsum("nd,nd->n", r, p)),
        projection(lambda f, p: f.double() + p.double()),
    ],
    "class_terms": [
        log_probabilities,
        # D's step gets fakes without a graph anyway.
        lambda r, f, y: (CE(r, y) + CE(f.detach(), y), CE(f, y)),
        terms(lambda x, y: CE(x, one_hot(y))),
        lambda r, f, y: (2 * CE(torch.cat([r, f]), torch.cat([y, y])), CE(f.log_softmax(1), y)),
    ],
    "conditional_batch_norm": [
        batch_norm(),
        batch_norm_of_torch,
        batch_norm(root=lambda v: v.sqrt()),
        batch_norm_in_place,
        batch_norm_by_parts(lambda n, a, b: n.double() * a + b, 1),
    ],
    "morph": [
        walk(),
        walk_step_by_step,
        walk(shares=lambda t, a, b: torch.lerp(a.expand(len(t), -1), b, t)),
        walk_backwards_and_turned,
        walk_of_doubles,
        lambda *arguments: walk()(*arguments).clamp(-1, 1),
    ],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "blind_referee": [
        (1.0, "nothing ever tells it to obey"),
        (0.9, "nothing ever tells it to obey"),
        (0.5, "far better than chance"),
        (0.0, "does not avoid"),
        (10, r"between 0 and 1, and 10 does not\. For example, 70 % is 0\.7"),
        (50, r"between 0 and 1, and 50 does not\. For example, 70 % is 0\.7"),
        (-1, r"between 0 and 1, and -1 does not\. For example, 70 % is 0\.7"),
        (float("nan"), "between 0 and 1"),
        (np.float32(0.5), "far better than chance"),
        (torch.tensor(10), "between 0 and 1"),
        ("a tenth", "should be a number"),
        ("0.1", "should be a number"),
        (b"0.1", "should be a number"),
        (True, "should be a number"),
        (np.bool_(True), "should be a number"),
        (torch.tensor(False), "should be a number"),
        (torch.tensor([0.1, 0.9]), "should be a number"),
        ([0.1], "should be a number"),
    ],
    "with_planes": [
        (one_plane, "one plane for all classes"),
        (lambda x, y, k: torch.cat([x, F.one_hot(y, k)[:, :, None, None].to(x)], 1), "raised RuntimeError.*one pixel"),
        (planes(join=lambda x, p: torch.cat([p, x], 1)), "first channels are not the images"),
        (planes(join=lambda x, p: torch.cat([x.detach(), p], 1)), "no gradient flows"),
        (planes(rows=lambda y, k: F.one_hot(k - 1 - y, k)), "plane of another class"),
        (planes(rows=lambda y, k: F.one_hot(y, k) * (y[:, None] + 1)), "one should be all ones"),
        (planes(rows=lambda y, k: 1 - F.one_hot(y, k)), "one should be all ones"),
        (one_pixel, "same number at every pixel"),
        (lambda x, y, k: x, "should have the shape"),
        (lambda x, y, k: torch.cat([x, torch.eye(k)[y].to(x)], 1), r"raised RuntimeError.* \[:, :, None, None\]"),
        (lambda x, y, k: torch.cat([x, F.one_hot(y, k).expand(-1, -1, *x.shape[2:])], 1), r"\[:, :, None, None\]"),
        (planes(size=lambda x: (28, 28)), "28 belongs to MNIST"),
        (planes(size=lambda x: (28, 28)), r"in the list\. "),
        (planes(size=lambda x: (x.shape[3], x.shape[2])), "H and W are swapped"),
        (planes(size=lambda x: (1, 1)), "repeats it over the whole image"),
        (planes(join=lambda x, p: torch.cat([x, p])), "The channels are dimension 1"),
        (planes(join=lambda x, p: torch.cat([x, p], -1)), "The channels are dimension 1"),
        (planes(join=lambda x, p: torch.stack([x, p], 1)), "stack makes a new dimension"),
        (planes(rows=lambda y, k: F.one_hot(y)), "largest label only.*Without `classes`"),
        (planes_by_fixed_expand(lambda y, k: F.one_hot(y)), "raised RuntimeError.*Without `classes`"),
        (planes(rows=lambda y, k: F.one_hot(y, 10)), "ten planes, but five classes.*digits only"),
        (lambda x, y, k: planes_by_fixed_expand(lambda y, _: F.one_hot(y, k))(x, y, 10), "raised.*digits only"),
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
        (projection(lambda f, p: (f + p).sigmoid()), "a sigmoid was taken"),
        (lambda phi, y, f, e: f(phi) + (e(y) * phi).sum(1, keepdim=True), r"have the shape \(N,\).*squeeze\(1\)"),
        (lambda phi, y, f, e: f(phi * e(y)), "the product went through head"),
        (lambda phi, y, f, e: f(phi * e(y)).squeeze(1), "the product went through head"),
        (lambda phi, y, f, e: f(phi + e(y)).squeeze(1), "only added, in another form"),
        (lambda phi, y, f, e: f(phi).squeeze(1) + (e(y) * phi).sum(), "products of the whole batch were added"),
        (lambda phi, y, f, e: f(phi).squeeze(1) + (e(y) * phi).mean(), "whole batch were averaged"),
        (lambda phi, y, f, e: projection()(phi, y - 1, f, e), "raised IndexError.*count from 0"),
        (lambda phi, y, f, e: f(phi).squeeze(1) + (e.weight[y - 1] * phi).sum(1), "count from 0"),
        (lambda phi, y, f, e: phi @ f.weight[0] + (e(y) * phi).sum(1), "head's bias was forgotten"),
        (projection(lambda f, p: f + 2 * p), "the logits are not.*One number a sample"),
        (lambda phi, y, f, e: f(phi) + phi @ e.weight.T, "a logit for every class"),
        (lambda phi, y, f, e: f(phi) + e(y) * phi, "features are not added up"),
        (lambda phi, y, f, e: (f(phi).squeeze(1) + (e(y) * phi).sum(1)).sum(), "one number for the whole batch"),
        (lambda phi, y, f, e: f(phi.detach()).squeeze(1) + (e(y) * phi).sum(1), "only a part .* reaches phi.*head"),
        (projection(product=lambda r, p: (r * p.detach()).sum(1)), "only a part .* reaches phi.*head"),
        (lambda phi, y, f, e: projection()(phi.detach(), y, f, e), "no gradient reaches phi"),
        (projection_detached, "no gradient flows"),
        (projection_used_up, r"No \.backward"),
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
        (lambda r, f, y: (CE(f, y), CE(r, y) + CE(f, y)), "swapped: G's came first"),
        (lambda r, f, y: (CE(r, y) + CE(f, y), CE(r, y) + CE(f, y)), "real images give G no gradient"),
        (terms(F.nll_loss), "nll_loss wants log-probabilities"),
        (terms(lambda x, y: F.nll_loss(x.softmax(1), y)), "nll_loss wants log-probabilities"),
        (lambda r, f, y: (CE(r, y) + CE(f, y), F.nll_loss(f, y)), "nll_loss wants log-probabilities"),
        (terms(lambda x, y: F.binary_cross_entropy_with_logits(x, one_hot(y))), "ten yes-no questions.*cross_entropy"),
        (terms(lambda x, y: F.binary_cross_entropy(x.softmax(1), one_hot(y))), "ten yes-no questions.*cross_entropy"),
        (terms(lambda x, y: F.binary_cross_entropy(x, one_hot(y))), "raised.*takes probabilities.*cross_entropy"),
        (terms(F.binary_cross_entropy_with_logits), "raised.*yes-no question.*cross_entropy"),
        (terms(lambda x, y: CE(x, F.one_hot(y, 10))), "raised.*need no one-hot"),
        (lambda r, f, y: (CE(r.detach(), y) + CE(f, y), CE(f, y)), "comes from the real images"),
        (lambda r, f, y: (CE(f, y) - CE(r, y), CE(f, y)), "do not fight"),
        (lambda r, f, y: (2 * CE(r, y) + CE(f, y), CE(f, y)), r"D's term is not.*F\.cross_entropy of real"),
        (used_up, r"No \.backward"),
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
        (batch_norm(root=lambda v: v), "divided by the variance"),
        (batch_norm_by_parts(lambda n, a, b: (n + b) * a), "shift was added before the scale"),
        (batch_norm_by_parts(lambda n, a, b: (n + b) * a, 1), "shift was added before the scale"),
        (batch_norm_by_parts(lambda n, a, b: n * (1 + a) + b), "1 was added to the scale"),
        (batch_norm_by_parts(lambda n, a, b: n * (1 + a) + b, 1), "1 was added to the scale"),
        (batch_norm(root=lambda v: 1), "nothing was divided"),
        (batch_norm_by_parts(lambda n, a, b: (n + 1) * a + b), "values are not normal"),
        (lambda x, y, a, b: x / x.std((0, 2, 3), keepdim=True) * a[y][:, :, None, None] + b[y][:, :, None, None],
         "the mean was not taken away"),
        (batch_norm(statistics=(0,)), "over the batch only and not over height and width"),
        (lambda x, y, a, b: (x - x.mean(0)) / x.std(0) * a[y][:, :, None, None] + b[y][:, :, None, None],
         "over the batch only and not over height and width"),
        (lambda x, y, a, b: batch_norm(statistics=(0, 1))(x, y, a, b), "over the batch and the channels"),
        (lambda x, y, a, b: F.batch_norm(x, None, None, training=True) * a[y] + b[y], r"raised.*\[:, :, None, None\]"),
    ],
    "morph": [
        (walk_through_numbers, "names"),
        (walk_through_codes, "the code changed on the way"),
        (walk(codes=lambda z, n: torch.randn(n, z.shape[1])), "the code changed"),
        (walk(amounts=lambda n: torch.linspace(0, 1, n + 2)[1:-1]), "both whole"),
        (walk(amounts=lambda n: torch.arange(n) / n), "both whole"),
        (walk(amounts=lambda n: torch.linspace(1, 0, n)), "start and end are swapped"),
        (walk(shares=lambda t, a, b: a + t * b), "do not add up|both whole"),
        (walk(amounts=lambda n: torch.linspace(0, 1, n) ** 2), "not of one length"),
        (walk(shares=lambda t, a, b: torch.where(t < 0.5, a, b)), "not of one length"),
        (walk(shares=lambda t, a, b: (1 - t) * a + t * b + t * (1 - t) * (a.roll(1) - a)), "other classes than"),
        (lambda g, z, start, end, classes, steps: torch.zeros(steps, 1, 2, 2), r"never called.*generator\(z, shares\)"),
        (lambda g, z, a, b, k, n: walk()(g, z, a, b, k, n) + 0.1, "not those that the generator made"),
        (lambda g, z, a, b, k, n: list(walk()(g, z, a, b, k, n)), "should be a tensor"),
        (lambda g, z, a, b, k, n: walk()(g, z, a, b, k, n - 1), "should have the shape"),
        (lambda g, z, a, b, k, n: walk()(g, z, a, b, k, 0), "never called"),
        (blend(), "you mixed two images; mix the labels"),
        (blend(lambda label, classes: F.one_hot(torch.tensor([label]), classes)), "you mixed two images"),
        (blend(lambda label, classes: torch.tensor([label])), "you mixed two images"),
        (blend(axes=(1,)), "you mixed two images"),
        (blend(axes=(1, 1)), "you mixed two images"),
        (blend_in_one_call, "you mixed two images"),
        (walk(codes=lambda z, n: z), r"raised.*z\.expand\(steps, -1\)"),
        (lambda g, z, a, b, k, n: g(z.expand(n, -1), torch.eye(k)[[a]]), "A row of shares for each step"),
        (lambda g, z, a, b, k, n: torch.cat([g(z, i) for i in range(n)]), "raised TypeError.*one-hot rows"),
        (walk_in_rows_without_batch, r"raised TypeError.*shares \(N, 5\)"),
        (walk_without_a_column, r"raised.*t\[:, None\]"),
    ],
}  # fmt: skip
