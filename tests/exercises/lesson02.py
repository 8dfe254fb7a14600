"""Answers to the exercises of lesson 02: valid ones of another form than the reference, and wrong ones."""

import itertools

import torch
import torch.nn.functional as F


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def d_step(loss, detach=True, zero=True, step=True):
    """A D step in which one thing may be wrong; `loss` takes D, real and fake."""

    def answer(generator, discriminator, d_optimizer, real, z):
        fake = generator(z).detach() if detach else generator(z)
        value = loss(discriminator, real, fake)
        if zero:
            d_optimizer.zero_grad()
        value.backward()
        if step:
            d_optimizer.step()
        return value.item()

    return answer


def right_loss(d, real, fake):
    return bce(d(real), 1.0) + bce(d(fake), 0.0)


def two_backwards(generator, discriminator, d_optimizer, real, z):
    d_optimizer.zero_grad()
    with torch.inference_mode():
        fake = generator(z)
    first, second = bce(discriminator(real), 1.0), bce(discriminator(fake.clone()), 0.0)
    first.backward()
    second.backward()
    d_optimizer.step()
    return (first + second).detach()


def one_batch(generator, discriminator, d_optimizer, real, z):
    for parameter in discriminator.parameters():
        parameter.grad = None
    logits = discriminator(torch.cat([real, generator(z).detach()]))
    loss = -F.logsigmoid(logits[: len(real)]).mean() - F.logsigmoid(-logits[len(real) :]).mean()
    loss.backward()
    d_optimizer.step()
    return loss


def two_steps(generator, discriminator, d_optimizer, real, z):
    for images, target in ((real, 1.0), (generator(z).detach(), 0.0)):
        loss = bce(discriminator(images), target)
        d_optimizer.zero_grad()
        loss.backward()
        d_optimizer.step()
    return loss


def trains_g(generator, discriminator, d_optimizer, real, z):
    optimizer = torch.optim.SGD([*generator.parameters(), *discriminator.parameters()], lr=0.1)
    optimizer.zero_grad()
    loss = right_loss(discriminator, real, generator(z))
    loss.backward()
    optimizer.step()
    return loss


def moved(copy, look):
    """An instrument: `copy` makes the picture of a network before, `look` says whether it is still the same."""

    def answer(generator, discriminator, action):
        pair = {"G": generator, "D": discriminator}
        before = {name: copy(network) for name, network in pair.items()}
        action()
        return {name for name in pair if not look(before[name], pair[name])}

    return answer


def flat(network):
    return torch.nn.utils.parameters_to_vector(network.parameters()).detach()


def state_copy(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same_state(old, network):
    return all(torch.equal(value, old[name]) for name, value in network.state_dict().items())


def first_only(old, network):
    return torch.equal(next(iter(old.values())), next(network.parameters()))


def calls_twice(generator, discriminator, action):
    action()
    return moved(state_copy, same_state)(generator, discriminator, action)


def trainer(scale=lambda p: p.float() / 127.5 - 1, batches=None, g_has_d=False, order="DG", g_target=1.0):
    """A training function in which one thing may be wrong. `batches` takes (images, batch_size), one epoch."""

    def shuffled(images, size):
        return [images[rows] for rows in torch.randperm(len(images)).split(size)]

    def answer(generator, discriminator, pixels, epochs, batch_size):
        d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
        weights = [*generator.parameters(), *(discriminator.parameters() if g_has_d else ())]
        g_optimizer = torch.optim.Adam(weights, lr=1e-3)
        images = scale(pixels)
        for _ in range(epochs):
            for real in (batches or shuffled)(images, batch_size):
                for player in order:
                    fake = generator(torch.randn(len(real), generator.latent_dim))
                    logits = discriminator(fake.detach() if player == "D" else fake)
                    loss = bce(logits, g_target) if player == "G" else bce(discriminator(real), 1.0) + bce(logits, 0.0)
                    optimizer = d_optimizer if player == "D" else g_optimizer
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()

    return answer


def detach_forgotten(generator, discriminator, pixels, epochs, batch_size):
    d_optimizer, g_optimizer = (torch.optim.Adam(n.parameters(), lr=1e-3) for n in (discriminator, generator))
    for real in (pixels.float() / 127.5 - 1).split(batch_size):
        fake = generator(torch.randn(len(real), generator.latent_dim))
        d_optimizer.zero_grad()
        right_loss(discriminator, real, fake).backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        bce(discriminator(fake), 1.0).backward()
        g_optimizer.step()


def one_after_the_other(generator, discriminator, pixels, epochs, batch_size):
    trainer(order="D")(generator, discriminator, pixels, epochs, batch_size)
    trainer(order="G")(generator, discriminator, pixels, epochs, batch_size)


def in_order(images, size):
    return images.split(size)


def with_replacement(images, size):
    return [images[torch.randint(len(images), (size,))] for _ in range(len(images) // size)]


def by_hand(generator, discriminator, pixels, epochs, batch_size):
    """No optimizer's zero_grad, slices, a stream of batches."""
    adams = [torch.optim.Adam(network.parameters(), lr=1e-3) for network in (discriminator, generator)]
    images = (pixels.double() * 2 / 255 - 1).float()
    starts = itertools.chain.from_iterable(range(0, len(images), batch_size) for _ in range(epochs))
    for start in starts:
        real = images[start : start + batch_size]
        fake = generator(torch.randn(len(real), generator.latent_dim))
        for which, adam in enumerate(adams):
            discriminator.requires_grad_(which == 0)
            loss = bce(discriminator(fake), 1.0) if which else right_loss(discriminator, real, fake.detach())
            adam.zero_grad()
            loss.backward()
            adam.step()


LINES = {"A": 7, "B": 10, "C": 0, "D": 1, "E": 8}

VALID = {
    "g_loss": [
        lambda logits: -F.logsigmoid(logits).mean(),
        lambda logits: bce(logits, 1.0),
        lambda logits: torch.logaddexp(torch.zeros_like(logits), -logits).sum() / logits.numel(),
    ],
    "d_step_from_codes": [d_step(right_loss), one_batch, two_backwards],
    "who_moved": [
        moved(state_copy, same_state),
        moved(lambda n: flat(n).clone(), lambda old, n: bool((old == flat(n)).all())),
        moved(lambda n: flat(n).tolist(), lambda old, n: old == flat(n).tolist()),
    ],
    "mended": [trainer(), trainer(batches=in_order), by_hand],
    "which_line": [dict(LINES), {letter: str(line) for letter, line in reversed(LINES.items())}],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "g_loss": [
        (lambda logits: F.softplus(logits).mean(), "G would help D"),
        (lambda logits: -F.softplus(logits).mean(), "minimax loss"),
        (lambda logits: F.logsigmoid(logits).mean(), "an optimizer minimises"),
        (lambda logits: F.softplus(-logits), "one number for each image"),
        (lambda logits: F.softplus(-logits).sum(), "sum over the batch"),
        (lambda logits: bce(logits.sigmoid(), 1.0), "a sigmoid too many"),
        (
            lambda logits: -torch.log(logits.sigmoid() + 1e-8).mean(),
            "slope is -0 where -1|slope is .* where -1 is right",
        ),
        (lambda logits: F.binary_cross_entropy(logits.sigmoid(), torch.ones_like(logits)), "where -1 is right"),
        (lambda logits: torch.tensor(F.softplus(-logits).mean().item()), "no gradient"),
        (lambda logits: torch.log(1 + torch.exp(-logits)).mean(), "exp of a large number"),
        (lambda logits: -logits.mean(), "Wasserstein"),
        (lambda logits: F.softplus(-logits).mean().item(), "should be a tensor"),
        (lambda logits: (logits - 1).square().mean(), "and not"),
    ],
    "d_step_from_codes": [
        (d_step(lambda d, real, fake: bce(d(real), 1.0)), "not shown any fakes"),
        (d_step(lambda d, real, fake: bce(d(fake), 0.0)), "not shown the real"),
        (d_step(lambda d, real, fake: right_loss(d, real, fake) - bce(d(fake), 0.0)), "only the real images count"),
        (d_step(right_loss, detach=False), "G was given gradients"),
        (d_step(right_loss, zero=False), "left over"),
        (d_step(right_loss, step=False), "0 step"),
        (d_step(lambda d, real, fake: right_loss(d, real, fake) / 2), "factor of one half"),
        (d_step(lambda d, real, fake: bce(d(real), 0.0) + bce(d(fake), 1.0)), "not down the gradient"),
        (d_step(lambda d, real, fake: -right_loss(d, real, fake)), "climbs"),
        (d_step(lambda d, real, fake: 5 * right_loss(d, real, fake)), "5 times too long"),
        (d_step(lambda d, real, fake: bce(d(real).sigmoid(), 1.0) + bce(d(fake), 0.0)), "not down the gradient"),
        (two_steps, "2 step"),
        (trains_g, "moved G's weights"),
        (lambda g, d, o, real, z: d_step(right_loss)(g, d, o, real, torch.randn_like(z)), "other codes than the z"),
        (lambda g, d, o, real, z: d_step(right_loss)(g.requires_grad_(False), d, o, real, z), "left G frozen"),
        (lambda g, d, o, real, z: d_step(right_loss)(g, d, o, real, z) and None, "returned nothing"),
        (lambda g, d, o, real, z: d_step(right_loss)(g, d, o, real, z) + 1, "not its loss"),
    ],
    "who_moved": [
        (
            moved(lambda n: list(n.parameters()), lambda old, n: all(map(torch.equal, old, n.parameters()))),
            "moved along",
        ),
        (moved(lambda n: n.state_dict(), same_state), "moved along"),
        (moved(state_copy, first_only), "only one of the network's tensors"),
        (calls_twice, "called 2 times"),
        (lambda g, d, action: set(), "called 0 times"),
        (lambda g, d, action: action() or {"G", "D"}, "changed nothing, but you returned"),
        (lambda g, d, action: sorted(moved(state_copy, same_state)(g, d, action)), "should be a set"),
        (
            moved(lambda n: 0, lambda _, n: all(p.grad is None for p in n.parameters())),
            "moved along|calculated gradients",
        ),
    ],
    "mended": [
        (trainer(scale=lambda p: p.float() / 255), r"range \[0, 1\]"),
        (trainer(scale=lambda p: p.float() - 127.5), "the generator draws in"),
        (trainer(g_has_d=True), "D is trained in G's step"),
        (trainer(batches=lambda images, size: [images[:size]] * 3), "the first batch, again and again"),
        (trainer(batches=lambda images, size: [images[torch.randperm(len(images))[:size]]]), "3 epochs made 3 steps"),
        (trainer(batches=with_replacement), "should be shown once in an epoch"),
        (trainer(g_target=0.0), "G helps D"),
        (detach_forgotten, "detach the fake"),
        (trainer(order="DDG"), "18 of D"),
        (trainer(order="D"), "not trained alone"),
        (one_after_the_other, "do not take turns"),
        (trainer(batches=lambda images, size: images.split(size // 2)), "18 of D"),
        (lambda *arguments: 0, "not trained alone"),
        (trainer(scale=lambda p: p.div_(2).float() / 63.5 - 1), "raised RuntimeError|changed the pixels"),
    ],
    "which_line": [
        (LINES | {"C": 8}, "line 8 is innocent in recording C"),
        (LINES | {"B": 0}, "recording B is not the healthy one"),
        (LINES | {"D": 2}, "recording D it is not line 2"),
        (LINES | {"A": 6}, "recording A it is not line 6"),
        (LINES | {"E": None}, "recording E it is not line None"),
        ([7, 10, 0, 1, 8], "should be a dictionary"),
        ({"A": 7}, "should be a dictionary"),
    ],
}
