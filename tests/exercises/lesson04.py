"""Answers to the exercises of lesson 04: valid ones of another form than the reference, and wrong ones."""

import copy

import torch
import torch.nn.functional as F

from gan_course.checks import recordings


def hinge(d=lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), g=lambda r, f: -f.mean()):
    """The hinge losses with one player's loss replaced."""
    return lambda real, fake: (d(real, fake), g(real, fake))


def hinge_by_clamp(real, fake):
    return [(1 - real).clamp(min=0).mean() + torch.clamp(1 + fake, min=0).mean(), -fake.mean()]


def hinge_by_minimum(real, fake):
    zero = torch.zeros(())
    reward = torch.minimum(zero, real - 1).mean() + torch.minimum(zero, -1 - fake).mean()  # as the papers write it
    return -reward, -1 * fake.mean()


def smoothed_by_entropy(real, fake, target):
    entropy = F.binary_cross_entropy_with_logits
    return entropy(real, torch.full_like(real, target)) + entropy(fake, torch.zeros_like(fake))


def smoothed_by_line(real, fake, target):
    return (F.softplus(-real) + (1 - target) * real).mean() + F.softplus(fake).mean()


def smoothed_by_log(real, fake, target):
    real_term = -target * F.logsigmoid(real) - (1 - target) * F.logsigmoid(-real)
    return real_term.mean() - F.logsigmoid(-fake).mean()


def two_sided(real, fake, target):
    entropy = F.binary_cross_entropy_with_logits
    return entropy(real, torch.full_like(real, target)) + entropy(fake, torch.full_like(fake, 1 - target))


def entropy_of(real_target, fake_target):
    """The cross-entropy with targets made of the one that the exercise gives."""

    def loss(real, fake, target):
        entropy = F.binary_cross_entropy_with_logits
        real_targets = torch.full_like(real, real_target(target))
        return entropy(real, real_targets) + entropy(fake, torch.full_like(fake, fake_target(target)))

    return loss


def smoothed_naively(real, fake, target):
    real_term = target * torch.log(real.sigmoid()) + (1 - target) * torch.log(1 - real.sigmoid())
    return -real_term.mean() - torch.log(1 - fake.sigmoid()).mean()


def together(real, fake, target):
    logits, targets = torch.cat([real, fake]), torch.cat([torch.full_like(real, target), torch.zeros_like(fake)])
    return F.binary_cross_entropy_with_logits(logits, targets)


def packed_by_chunks(samples, pack):
    return torch.cat(samples.chunk(pack), dim=1)


def packed_by_strides(samples, pack):
    return torch.cat([samples[i::pack] for i in range(pack)], dim=1)


def packed_at_random(samples, pack):
    return samples[torch.randperm(len(samples))].view(-1, pack, samples.shape[1]).flatten(1)


def sliding(samples, pack):
    return torch.cat([samples.roll(-i, 0) for i in range(pack)], dim=1)


def sliding_cut(samples, pack):
    return sliding(samples, pack)[: len(samples) // pack]


def norm_by_backward_on_copies(generator, discriminator, z, loss_of):
    generator, discriminator = copy.deepcopy(generator), copy.deepcopy(discriminator)
    generator.zero_grad()
    loss_of(discriminator(generator(z))).backward()
    return sum(p.grad.square().sum() for p in generator.parameters()).sqrt()


def norm_of_norms(generator, discriminator, z, loss_of):
    loss = loss_of(discriminator(generator(z)))
    gradients = torch.autograd.grad(loss, list(generator.parameters()))
    return torch.stack([gradient.norm() for gradient in gradients]).norm().item()


def norm_with_restored_gradients(generator, discriminator, z, loss_of):
    stored = [p.grad for p in generator.parameters()]
    for p in generator.parameters():
        p.grad = None
    discriminator.requires_grad_(False)
    loss_of(discriminator(generator(z))).backward()
    discriminator.requires_grad_(True)
    total = torch.nn.utils.parameters_to_vector([p.grad for p in generator.parameters()]).norm().item()
    for p, gradient in zip(generator.parameters(), stored, strict=True):
        p.grad = gradient
    return total


def gradients_of(players="g"):
    """A function that combines the gradients of G's loss by these players' weights."""

    def combined(combine):
        def norm(generator, discriminator, z, loss_of):
            nets = {"g": generator, "d": discriminator}
            weights = [p for player in players for p in nets[player].parameters()]
            return combine(torch.autograd.grad(loss_of(discriminator(generator(z))), weights))

        return norm

    return combined


def whole(gradients):
    return torch.cat([gradient.flatten() for gradient in gradients]).norm()


def norm_by_plain_backward(generator, discriminator, z, loss_of):
    loss_of(discriminator(generator(z))).backward()
    return whole([p.grad for p in generator.parameters()])


def norm_that_cleans_first(generator, discriminator, z, loss_of):
    generator.zero_grad()
    loss_of(discriminator(generator(z))).backward()
    return whole([p.grad for p in generator.parameters()])


def norm_that_soils_the_judge(generator, discriminator, z, loss_of):
    weights = list(generator.parameters())
    loss = loss_of(discriminator(generator(z)))
    gradients = torch.autograd.grad(loss, weights, retain_graph=True)
    torch.autograd.backward(loss, inputs=list(discriminator.parameters()))
    return whole(gradients)


def norm_of_one_loss(generator, discriminator, z, loss_of):
    loss = F.softplus(-discriminator(generator(z))).mean()
    return whole(torch.autograd.grad(loss, list(generator.parameters())))


def norm_that_freezes_the_judge(generator, discriminator, z, loss_of):
    discriminator.requires_grad_(False)
    return norm_of_norms(generator, discriminator, z, loss_of)


def norm_by_codes(generator, discriminator, z, loss_of):
    z = z.clone().requires_grad_(True)
    return torch.autograd.grad(loss_of(discriminator(generator(z))), z)[0].norm()


def norm_of_detached(generator, discriminator, z, loss_of):
    loss_of(discriminator(generator(z).detach())).backward()
    return whole([p.grad for p in generator.parameters()])


def verdicts(**changes):
    """The right answer to the quiz with some words changed."""
    return recordings.VERDICTS | changes


VALID = {
    "two_slopes": [[-0.01, -0.99], (-1 / 100, 0.01 - 1)],
    "hinge_losses": [hinge_by_clamp, hinge_by_minimum],
    "smoothed_loss": [smoothed_by_entropy, smoothed_by_line, smoothed_by_log],
    "packed": [packed_by_chunks, packed_by_strides, packed_at_random],
    "gradient_norm": [norm_by_backward_on_copies, norm_of_norms, norm_with_restored_gradients],
    "read_the_curves": [
        {letter: word.upper() for letter, word in sorted(verdicts().items(), reverse=True)},
        {letter: f" {word} " for letter, word in verdicts().items()},
    ],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "two_slopes": [
        ((-0.99, -0.01), "swapped"),
        ((0.01, 0.99), "both signs are turned"),
        ((-1 / 0.99, -1 / 0.01), "slopes by D"),
        ((-0.0099, -0.0099), "slope of the sigmoid alone"),
        ((-0.01, -0.5), "slope of -log D is not -0.5"),
        ((0.0, -0.99), r"slope of log\(1 - D\) is not 0"),
        (0.99, "should be two numbers"),
        (("small", "large"), "should be two numbers"),
    ],
    "hinge_losses": [
        (hinge(d=lambda r, f: F.relu(1 + r).mean() + F.relu(1 - f).mean()), "signs inside are turned"),
        (hinge(d=lambda r, f: f.mean() - r.mean()), "no hinge: nothing is cut off"),
        (hinge(d=lambda r, f: F.relu(-r).mean() + F.relu(f).mean()), "margin of 1 is missing"),
        (hinge(d=lambda r, f: (1 - r).mean() + (1 + f).mean()), "no hinge: nothing is cut off"),
        (hinge(d=lambda r, f: F.relu(1 - r.mean()) + F.relu(1 + f.mean())), "relu is taken of the mean"),
        (hinge(d=lambda r, f: (r - 1).clamp(max=0).mean() + (-1 - f).clamp(max=0).mean()), "sign of the whole loss"),
        (hinge(d=lambda r, f: F.relu(1 - r).mean()), "fakes are left out"),
        (hinge(d=lambda r, f: F.relu(1 + f).mean()), "real samples are left out"),
        (hinge(d=lambda r, f: F.relu(1 - r).sum() + F.relu(1 + f).sum()), "sum over the batch"),
        (hinge(d=lambda r, f: (F.relu(1 - r).mean() + F.relu(1 + f).mean()) / 2), "half of what it should be"),
        (hinge(d=lambda r, f: F.relu(1 - r) + F.relu(1 + f)), r"has \(3,\)"),
        (hinge(d=lambda r, f: (F.relu(1 - r).mean() + F.relu(1 + f).mean()).detach()), "no gradient flows from D's"),
        (hinge(d=lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean() + 1), "gradients are right, but D's loss"),
        (hinge(g=lambda r, f: f.mean()), "G would help D"),
        (hinge(g=lambda r, f: F.relu(1 - f).mean()), "G's loss has a hinge too"),
        (hinge(g=lambda r, f: F.relu(1 + f).mean()), "D's fake term"),
        (hinge(g=lambda r, f: -F.relu(1 + f).mean()), "cut off where D is sure"),
        (hinge(g=lambda r, f: F.softplus(-f).mean()), "the non-saturating one"),
        (hinge(g=lambda r, f: -f.sum()), "G's loss is a sum"),
        (hinge(g=lambda r, f: -f.clamp(-30, 30).mean()), "G's slope changes"),
        (hinge(g=lambda r, f: r.mean().detach() - f.mean()), "G's slope is right, but its loss"),
        (hinge(g=lambda r, f: 5 - f.mean()), "G's slope is right, but its loss"),
        (hinge(d=lambda r, f: F.relu(1 - r).clamp(max=3).mean() + F.relu(1 + f).mean()), "the gradient of D's loss"),
        (
            hinge(d=lambda r, f: F.relu(1 - r).square().mean() + F.relu(1 + f).square().mean()),
            "the gradient of D's loss",
        ),
        (hinge(d=lambda r, f: F.relu(1 - r).mean() + F.relu(f - 1).mean()), "the gradient of D's loss"),
        (lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), "two losses should be returned"),
    ],
    "smoothed_loss": [
        (two_sided, "two-sided"),
        (entropy_of(lambda t: 1.0, lambda t: 1 - t), "fakes are smoothed and the real samples are not"),
        (lambda r, f, t: t * F.softplus(-r).mean() + F.softplus(f).mean(), "only scaled"),
        (lambda r, f, t: F.softplus(-t * r).mean() + F.softplus(f).mean(), "logits are scaled"),
        (lambda r, f, t: F.softplus(t - r).mean() + F.softplus(f).mean(), "subtracted from the logit"),
        (lambda r, f, t: F.softplus(-r).mean() + F.softplus(f).mean(), "nothing is smoothed"),
        (entropy_of(lambda t: 1 - t, lambda t: 0.0), "turned round"),
        (together, "half of what it should be"),
        (lambda r, f, t: smoothed_by_entropy(r, f, 0.9), "with target = 0.7"),
        (lambda r, f, t: smoothed_by_entropy(r.sigmoid(), f, t), "not that of the cross-entropy"),
        (lambda r, f, t: smoothed_by_entropy(r, f, t).item(), "should be a tensor"),
        (lambda r, f, t: smoothed_by_entropy(r.detach(), f.detach(), t), "no gradient reaches the real"),
        (lambda r, f, t: smoothed_by_entropy(r.detach(), f, t), "no gradient reaches the real"),
        (smoothed_naively, "at logits of .-120 the loss is"),
    ],
    "packed": [
        (lambda samples, pack: samples.repeat(1, pack), "copies of itself"),
        (sliding, "there are 12 packs"),
        (lambda samples, pack: samples.reshape(-1, pack, 2).mean(1), "averaged or dropped"),
        (lambda samples, pack: samples[::pack], "averaged or dropped"),
        (lambda samples, pack: samples.reshape(-1, pack, 2), r"\(6, 2, 2\); D wants rows"),
        (lambda samples, pack: samples.T.reshape(len(samples) // pack, -1), "torn apart"),
        (lambda samples, pack: samples.reshape(-1, pack, 2).transpose(1, 2).flatten(1), "torn apart"),
        (sliding_cut, "some samples appear"),
        (lambda samples, pack: packed_by_chunks(samples.detach(), pack), "cut off from the samples"),
        (lambda samples, pack: samples.reshape(-1, 4), "raised|shape"),
        (lambda samples, pack: samples.reshape(-1, 2 * pack), "8 samples of 3 numbers"),
    ],
    "gradient_norm": [
        (norm_by_plain_backward, "an earlier step are counted in"),
        (norm_that_cleans_first, "changed G"),
        (norm_that_soils_the_judge, "gradients on D's weights"),
        (gradients_of()(lambda gradients: sum(g.norm() for g in gradients)), "norms of the layers are added"),
        (gradients_of()(lambda gradients: max(g.norm() for g in gradients)), "one layer only"),
        (gradients_of()(lambda gradients: torch.stack([g.norm() for g in gradients]).mean()), "mean of the layers"),
        (gradients_of()(lambda gradients: sum(g.square().sum() for g in gradients)), "square root is missing"),
        (gradients_of("d")(whole), "by D's weights"),
        (gradients_of("gd")(whole), "D's weights are counted in"),
        (gradients_of()(lambda gradients: max(g.abs().max() for g in gradients)), "the norm of G's gradient is"),
        (gradients_of()(lambda gradients: [g.norm() for g in gradients]), "should be one number"),
        (norm_by_codes, "by the codes z"),
        (norm_of_one_loss, "with another loss it is"),
        (norm_that_freezes_the_judge, "requires_grad = False"),
        (norm_of_detached, "an earlier step|raised|it is"),
    ],
    "read_the_curves": [
        (verdicts(A="collapsed"), "A is not collapsed: its fakes lie 1 times"),
        (verdicts(A="overpowered"), "A is not overpowered: .* not sure at all"),
        (verdicts(B="saturated"), "B is not saturated: G's gradient is 64 long"),
        (verdicts(B="collapsed"), "B is not collapsed: .* it has not started"),
        (verdicts(B="healthy"), "B is not healthy: D answers 1.000 to real samples and 0.000"),
        (verdicts(C="healthy"), "C is not healthy: its fakes lie 0.14 times"),
        (verdicts(D="overpowered"), "D is not overpowered: .* but G's gradient is 0.0001"),
        (verdicts(D="collapsed"), "D is not collapsed: .* it has not started"),
        (verdicts(E="saturated"), "E is not saturated: .* it does not reject the fakes"),
        (verdicts(E="collapsed"), "E is not collapsed: its fakes lie 1 times"),
        (verdicts(F="saturated"), "F is not saturated: .* What does not answer is G itself"),
        (verdicts(F="overpowered"), "F is not overpowered: .* but G's gradient is 0.002"),
        (verdicts(E=None), "E is called None"),
        (verdicts(D="dead"), "D is called 'dead'"),
        (["healthy"] * 6, "dictionary with the keys A to F"),
    ],
}
