"""Answers to the exercises of lesson 01: valid ones of another form than the reference, and wrong ones."""

import math

import torch
import torch.nn.functional as F


def best_or_half(p, q):
    return torch.where(p + q > 0, p / (p + q), 0.5)


def value(log, best=best_or_half, width=None):
    """The value of the game with this logarithm, this discriminator and this width of a cell."""

    def value_at_best(p, q, dx):
        d = best(p, q)
        return (p * log(d) + q * log(1 - d)).sum() * (dx if width is None else width)

    return value_at_best


def safe_log(x):
    return x.clamp_min(1e-30).log()


def clamped_by_tiny(p, q, dx):
    best = p / (p + q).clamp_min(1e-300)  # which is 0 in float32
    return (torch.xlogy(p, best) + torch.xlogy(q, 1 - best)).sum() * dx


def from_divergence(p, q, dx):
    m = (p + q) / 2
    kl = [(torch.xlogy(a, a) - torch.xlogy(a, m)).sum() * dx for a in (p, q)]
    return kl[0] + kl[1] - math.log(4)


def where_positive(p, q, dx):
    total = torch.zeros((), dtype=p.dtype)
    for a in (p, q):
        seen = a > 0
        total = total + torch.trapezoid(torch.where(seen, a * torch.log(torch.where(seen, a / (p + q), 1)), 0), dx=dx)
    return total


def log_sigmoid_losses(real, fake):
    value = F.logsigmoid(real).mean() + F.logsigmoid(-fake).mean()
    return -value, value


def cross_entropy_losses(real, fake):
    bce = F.binary_cross_entropy_with_logits
    fake_loss = bce(fake, torch.zeros_like(fake))
    return [bce(real, torch.ones_like(real)) + fake_loss, -fake_loss]


def losses(d=lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(), g=lambda r, f: -F.softplus(f).mean()):
    return lambda real, fake: (d(real, fake), g(real, fake))


def sigmoid_first(real, fake):
    log = [torch.log(torch.sigmoid(real)).mean(), torch.log(1 - torch.sigmoid(fake)).mean()]
    return -log[0] - log[1], log[1]


def with_epsilon(real, fake):
    log = [torch.log(torch.sigmoid(real) + 1e-8).mean(), torch.log(1 - torch.sigmoid(fake) + 1e-8).mean()]
    return -log[0] - log[1], log[1]


def clamped_entropy(real):
    """Right in value at -120 and without a gradient there, as a sigmoid and a clamped logarithm can be."""
    return F.softplus(-real).mean() if real.min() > -100 else 120 - 0 * real.mean()


def one_round(detach=True, d_zero=True, g_zero=True, real_only=False, g_in_loop=False, first=False, sign=1, **more):
    """A round with one thing done differently; `more`: minimax, g_detach, d_joins, swap."""

    def round_(generator, discriminator, g_optimizer, d_optimizer, reals, codes):
        pairs = list(zip(reals, codes, strict=True))[: 1 if first else None]
        for i, (real, z) in enumerate(pairs):
            fake = generator(z)
            judged = discriminator(fake.detach() if detach else fake)
            d_loss = F.softplus(-discriminator(real)).mean() + (0 if real_only else F.softplus(judged).mean())
            if d_zero:
                d_optimizer.zero_grad()
            d_loss.backward(retain_graph=not detach)
            d_optimizer.step()
            if not g_in_loop and i < len(pairs) - 1:
                continue
            # The weights of D have changed in place, so the fake must be judged anew.
            logits = discriminator(generator(z).detach() if more.get("g_detach") else generator(z))
            g_loss = -F.softplus(logits).mean() if more.get("minimax") else F.softplus(-sign * logits).mean()
            if g_zero:
                g_optimizer.zero_grad()
            g_loss.backward()
            g_optimizer.step()
            if more.get("d_joins"):
                d_optimizer.step()
        return None if more.get("silent") else (d_loss.item(), g_loss.item())

    return round_


def round_with_frozen_discriminator(generator, discriminator, g_optimizer, d_optimizer, reals, codes):
    bce = F.binary_cross_entropy_with_logits
    for i in range(len(reals)):
        d_optimizer.zero_grad()
        with torch.no_grad():
            fake = generator(codes[i])
        real_loss = bce(discriminator(reals[i]), torch.ones(len(fake)))
        fake_loss = bce(discriminator(fake), torch.zeros(len(fake)))
        (real_loss + fake_loss).backward()
        d_optimizer.step()
    discriminator.requires_grad_(False)
    g_optimizer.zero_grad()
    logits = discriminator(generator(codes[-1]))
    g_loss = bce(logits, torch.ones_like(logits))
    g_loss.backward()
    g_optimizer.step()
    discriminator.requires_grad_(True)
    return [real_loss + fake_loss, g_loss]


def flipped_gradient_round(generator, discriminator, g_optimizer, d_optimizer, reals, codes):
    """Both losses through logsigmoid, D's on both halves of one batch, G's gradients by autograd.grad."""
    for real, z in zip(reals, codes, strict=True):
        both = torch.cat([real, generator(z).detach()])
        sign = torch.tensor([1.0] * len(real) + [-1.0] * len(real))
        d_loss = -2 * F.logsigmoid(sign * discriminator(both)).mean()
        for parameter, slope in zip(
            discriminator.parameters(), torch.autograd.grad(d_loss, list(discriminator.parameters())), strict=True
        ):
            parameter.grad = slope
        d_optimizer.step()
    g_loss = -F.logsigmoid(discriminator(generator(codes[-1]))).mean()
    slopes = torch.autograd.grad(g_loss, list(generator.parameters()))
    for parameter, slope in zip(generator.parameters(), slopes, strict=True):
        parameter.grad = slope
    g_optimizer.step()
    return d_loss, g_loss


def frozen_discriminator(generator, discriminator, *parts):
    discriminator.requires_grad_(False)
    return one_round()(generator, discriminator, *parts)


def flattened(generator, discriminator, g_optimizer, d_optimizer, reals, codes):
    """All pairs as one batch: D moves once."""
    return one_round()(
        generator, discriminator, g_optimizer, d_optimizer, reals.flatten(0, 1)[None], codes.flatten(0, 1)[None]
    )


VALID = {
    "best_answer": [0.75, 3 / 4],
    "optimal_discriminator": [
        lambda p, q: 1 / (1 + q / p),
        lambda p, q: torch.sigmoid(p.log() - q.log()),
        lambda p, q: 1 - q / (p + q + 1e-12),
    ],
    "value_at_best": [from_divergence, where_positive, value(safe_log)],
    "minimax_losses": [log_sigmoid_losses, cross_entropy_losses],
    "one_round": [one_round(), round_with_frozen_discriminator, flipped_gradient_round],
    "which_line": [5, "5", "line 5", 5.0],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "best_answer": [
        (1, "call every sample at x real"),
        (0.5, "both densities are equal"),
        (3, "ratio of the densities"),
        (0.25, "the sample is generated"),
        (75, "percentage"),
        (-2, "between 0 and 1, but the guess is -2"),
        (0.6, "it is not 0.6"),
        ("three quarters", "should be a number"),
    ],
    "optimal_discriminator": [
        (lambda p, q: q / (p + q), "swapped"),
        (lambda p, q: p / q, "ratio p/q"),
        (lambda p, q: p.log() - q.log(), "the logit"),
        (lambda p, q: torch.sigmoid(p / q), "sigmoid of p/q"),
        (lambda p, q: torch.sigmoid(p - q), "sigmoid of p/q or p - q"),
        (lambda p, q: (p > q).float(), "likelier side"),
        (lambda p, q: (p >= q).float(), "likelier side"),
        (lambda p, q: p / (p.sum() + q.sum()), "normalised over all"),
        (lambda p, q: p / (p + q) / 2, "at p = 3, q = 1 it should be 0.75, but is 0.375"),
        (lambda p, q: torch.exp(p.log() - (p + q).log()) + 0 * q.log(), "NaN or infinity in"),
        (lambda p, q: (p / (p + q)).mean(), r"shape \(4,\), but has \(\)"),
    ],
    "value_at_best": [
        (lambda p, q, dx: from_divergence(p, q, dx) + math.log(4), "that is a divergence"),
        (value(torch.log, width=1), "not multiplied by dx"),
        (value(torch.log2), "to base 2"),
        (lambda p, q, dx: -value(torch.log)(p, q, dx), "sign is turned"),
        (lambda p, q, dx: value(torch.log)(p, q, dx) / 2, "half of -log 4"),
        (value(torch.log, best=lambda p, q: q / (p + q)), "terms are swapped"),
        (value(torch.log, best=lambda p, q: 0.5 * torch.ones_like(p)), "D is 1/2 everywhere"),
        (value(torch.log), "it is nan for densities that are 0"),
        (lambda p, q, dx: value(safe_log)(p, q, dx).item(), "scalar tensor"),
        (lambda p, q, dx: from_divergence(p, q, dx) / 2 - math.log(2), r"it should be -0\.\d+, but is"),
        (lambda p, q, dx: 3 * from_divergence(p, q, dx), "should be -log 4 = -1.386, but is -4.159"),
        (lambda p, q, dx: torch.log(-p).sum() * dx, "it is nan even where"),
        (clamped_by_tiny, "for float32 densities"),
        (lambda p, q, dx: from_divergence(p, q, dx) - (p * q == 0).all() * 1.0, r"V is 0, but it is -1"),
    ],
    "minimax_losses": [
        (losses(g=lambda r, f: F.softplus(f).mean() + F.softplus(-r).mean()), "G's loss has the wrong sign"),
        (losses(d=lambda r, f: -F.softplus(-r).mean() - F.softplus(f).mean()), "D's loss has the wrong sign"),
        (losses(d=lambda r, f: F.softplus(-r).sum() + F.softplus(f).sum()), "a sum over the samples"),
        (losses(d=lambda r, f: (F.softplus(-r).mean() + F.softplus(f).mean()) / 2), "half of what it should be"),
        (losses(d=lambda r, f: F.softplus(-r).mean()), "leaves out the fakes"),
        (losses(d=lambda r, f: F.softplus(f).mean()), "leaves out the real"),
        (losses(d=lambda r, f: F.softplus(r).mean() + F.softplus(-f).mean()), "swapped in D's loss"),
        (losses(d=lambda r, f: f.mean() - r.mean()), "D's loss should be"),
        (losses(d=lambda r, f: (F.softplus(-r).mean() + F.softplus(f).mean()).detach()), "no gradient flows from D's"),
        (losses(g=lambda r, f: F.softplus(-f).mean()), "non-saturating one"),
        (losses(g=lambda r, f: F.softplus(f).mean()), "G would help D"),
        (losses(g=lambda r, f: -F.softplus(f).sum()), "G's loss is a sum"),
        (losses(g=lambda r, f: -F.softplus(-r).mean()), "no gradient flows from G's"),
        (losses(g=lambda r, f: -f.mean()), r"not that of log\(1 - D"),
        (sigmoid_first, r"D's loss is inf|G's loss is -inf"),
        (losses(g=lambda r, f: (-f - torch.log(1 + torch.exp(-f))).mean()), "G's loss is -inf"),
        (losses(d=lambda r, f: (torch.log(1 + torch.exp(r)) - r).mean() + F.softplus(f).mean()), "D's loss is inf"),
        (with_epsilon, "at logits of -120 and 120 D's loss is"),
        (losses(d=lambda r, f: F.softplus(-r) + F.softplus(f)), r"has the shape \(3,\)"),
        (losses(g=lambda r, f: 1.0), "G's loss is not a tensor"),
        (lambda r, f: F.softplus(f).mean(), "two losses should be returned"),
        (losses(d=lambda r, f: F.softplus(-r.clamp_min(-50)).mean() + F.softplus(f).mean()), "not 240"),
        (losses(d=lambda r, f: clamped_entropy(r) + F.softplus(f).mean()), "gets no gradient"),
    ],
    "one_round": [
        (lambda g, d, go, do, reals, codes: (0.0, 0.0), "D has not moved"),
        (one_round(g_detach=True), "RuntimeError|G has not moved|raised"),
        (one_round(real_only=True), "real samples only"),
        (one_round(sign=-1), "walks away"),
        (one_round(minimax=True), "minimax one"),
        (one_round(g_in_loop=True), "G has moved 3 times"),
        (one_round(first=True), "D has moved once"),
        (flattened, r"with k = 3, d_optimizer.step\(\) was called 1 times"),
        (one_round(detach=False), "left a gradient on G"),
        (lambda *parts: one_round()(*parts)[::-1], "losses are swapped"),
        (lambda *parts: one_round()(*parts) and ("a", "b"), "are no losses"),
        (lambda *parts: one_round()(*parts) and (0.0, 0.0), "the last losses are"),
        (frozen_discriminator, "Something cuts the gradient off"),
        (one_round(d_zero=False), "pile up"),
        (one_round(d_joins=True), r"with k = 1, d_optimizer.step\(\) was called 2 times"),
        (one_round(g_zero=False), "G has moved, but not as"),
        (one_round(detach=False, g_zero=False), "a gradient of D's loss has reached it"),
        (one_round(silent=True), "returned nothing"),
        (lambda *parts: one_round()(*parts)[0], "return two numbers"),
    ],
    "which_line": [(line, f"line {line} (is right|makes the fakes)") for line in (1, 2, 3, 4, 6)]
    + [(7, "number from 1 to 6"), ("the loss", "number from 1 to 6")],
}
