"""Checks for the exercises of lesson 04."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course import networks
from gan_course.checks import recordings
from gan_course.checks.framework import attempt, check, expect, expect_tensor, gradient_of


@check
def two_slopes(guess: Any) -> None:
    """The slopes by the logit of log(1 - D) and of -log D, where D = 0.01: -0.01 and -0.99."""
    numbers = isinstance(guess, tuple | list) and len(guess) == 2
    if numbers and all(number is None for number in guess):
        raise NotImplementedError
    if numbers:
        guess = [n.item() if isinstance(n, Tensor) and n.numel() == 1 else n for n in guess]
    numbers = numbers and all(isinstance(n, int | float) and not isinstance(n, bool) for n in guess)
    expect(numbers, f"the guess should be two numbers, but is {guess!r}.", "For example `guess = (0.5, -0.5)`.")
    chain = "D = sigmoid(l), and sigmoid'(l) = D (1 - D). Multiply the slope by D with it."
    known = [
        ((-0.99, -0.01), "the two are swapped.", "Which of the two is named saturating, and why?"),
        ((0.01, 0.99), "both signs are turned.", "Both losses *fall* when the logit rises: G wants D(G(z)) up."),
        ((-1.0101, -100), "these are the slopes by D, -1/(1 - D) and -1/D. Asked are those by the logit.", chain),
        ((-1.01, -100), "these are the slopes by D, -1/(1 - D) and -1/D. Asked are those by the logit.", chain),
        ((-0.0099, -0.0099), "this is -D (1 - D) for both: the slope of the sigmoid alone.", chain),
    ]
    for values, problem, hint in known:
        expect(not _near(guess, values), problem, hint)
    expect(abs(guess[0] + 0.01) < 5e-4, f"the slope of log(1 - D) is not {guess[0]:g}.", chain)
    expect(abs(guess[1] + 0.99) < 5e-3, f"the slope of -log D is not {guess[1]:g}.", chain)


def _near(guess: list, values: tuple) -> bool:
    return all(abs(a - b) < 0.01 * abs(b) for a, b in zip(guess, values, strict=True))


@check
def hinge_losses(function: Any) -> None:
    """Both players' hinge losses: gradients first, then values."""
    d_loss, g_loss, real, fake = _two_losses(function, [4.0, 0.5, -1.0], [-5.0, -0.4, 1.5])
    _name_slopes("D's loss", d_loss, (real, fake), _hinge_mistakes(real, fake))
    _name_slopes("G's loss", g_loss, (fake,), _hinge_generator_mistakes(fake))
    _expect_hinge(d_loss, real, fake)
    d_loss, g_loss, real, fake = _two_losses(function, [-40.0, 2.0, 3.0], [40.0, -40.0, 3.0])
    _expect_hinge(d_loss, real, fake)
    steady = _same_slopes(g_loss, -fake.mean(), (fake,))
    expect(steady, "G's slope changes where a logit is large: it should be the same at every logit.", "-fake.mean()")
    value = f"G's slope is right, but its loss is {g_loss.item():.4f} and not {-fake.mean().item():.4f}."
    expect(abs(g_loss.item() + fake.mean().item()) < 1e-4, value, "Minus the mean of the fakes' logits, nothing else.")


def _expect_hinge(d_loss: Tensor, real: Tensor, fake: Tensor) -> None:
    """D's loss has the hinge's gradient, and its value."""
    wanted = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    values = f"for real logits {real.tolist()} and fake ones {fake.tolist()}"
    how = "relu(1 - real), averaged, plus relu(1 + fake), averaged."
    expect(_same_slopes(d_loss, wanted, (real, fake)), f"the gradient of D's loss is not the hinge's {values}.", how)
    expect(
        abs(d_loss.item() - wanted.item()) < 1e-4,
        f"the gradients are right, but D's loss is {d_loss.item():.4f} and not {wanted.item():.4f} {values}.",
        how,
    )


def _hinge_mistakes(real: Tensor, fake: Tensor) -> list[tuple[Tensor, str, str]]:
    hint = "Real logits above +1 and fake logits below -1 cost nothing; what falls short costs as much as it lacks."
    relu = F.relu
    return [
        (
            relu(1 + real).mean() + relu(1 - fake).mean(),
            "the signs inside are turned: D learns to call real samples fake.",
            hint,
        ),
        (
            fake.mean() - real.mean(),
            "there is no hinge: nothing is cut off at 0. This is the Wasserstein loss, which never stops pushing.",
            hint,
        ),
        (
            relu(-real).mean() + relu(fake).mean(),
            "the margin of 1 is missing: a logit of 0.5 for a real sample would cost nothing.",
            hint,
        ),
        (
            relu(1 - real.mean()) + relu(1 + fake.mean()),
            "relu is taken of the mean: one very good logit would hide all bad ones.",
            "First relu for each sample, then the mean.",
        ),
        (
            -(relu(1 - real).mean() + relu(1 + fake).mean()),
            "the sign of the whole loss is turned: D would get worse at its job.",
            "The papers write what D *maximises*, min(0, -1 + l). An optimizer minimises.",
        ),
        (relu(1 - real).mean(), "the fakes are left out of D's loss.", hint),
        (relu(1 + fake).mean(), "the real samples are left out of D's loss.", hint),
        (
            relu(1 - real).sum() + relu(1 + fake).sum(),
            "D's loss is a sum over the batch; it should be the sum of two means.",
            "Use .mean().",
        ),
        (
            (relu(1 - real).mean() + relu(1 + fake).mean()) / 2,
            "D's loss is half of what it should be: the sum of two means is not divided by 2.",
            hint,
        ),
    ]


def _hinge_generator_mistakes(fake: Tensor) -> list[tuple[Tensor, str, str]]:
    hint = "G just wants D's logits for its fakes as large as it can: no margin, no relu."
    return [
        (fake.mean(), "G's loss has the wrong sign: G would help D.", hint),
        (F.relu(1 - fake).mean(), "G's loss has a hinge too, so fakes above the margin get no push.", hint),
        (F.relu(1 + fake).mean(), "G's loss is D's fake term: G would help D.", hint),
        (-F.relu(1 + fake).mean(), "G's loss is cut off where D is sure of a fake: just there G gets no push.", hint),
        (F.softplus(-fake).mean(), "G's loss is the non-saturating one.", hint),
        (-fake.sum(), "G's loss is a sum over the batch.", "Use .mean()."),
    ]


@check
def smoothed_loss(function: Any) -> None:
    """D's cross-entropy with a target below 1 for real samples, and 0 for fakes."""
    for target in (0.9, 0.7, 1.0):
        real = torch.tensor([2.0, 0.5, -1.0], requires_grad=True)
        fake = torch.tensor([-3.0, -0.4, 1.0], requires_grad=True)
        loss = attempt(function, real, fake, target)
        expect_tensor(loss, (), "the loss")
        for name, logits in (("real", real), ("fake", fake)):
            expect(
                gradient_of(loss, logits) is not None, f"no gradient reaches the {name} logits.", "No detach, no item."
            )
        if target < 1:
            _name_slopes("the loss", loss, (real, fake), _smoothing_mistakes(real, fake, target))
        wanted = _smoothed(real, fake, target)
        right = _same_slopes(loss, wanted, (real, fake)) and abs(loss.item() - wanted.item()) < 1e-4
        expect(
            right,
            f"with target = {target} the loss is {loss.item():.4f} and its gradient is not that of the cross-entropy "
            f"with this target; the loss should be {wanted.item():.4f}.",
            "Real: target * softplus(-l) + (1 - target) * softplus(l). Fake: softplus(l).",
        )
    real, fake = (torch.tensor(logits, requires_grad=True) for logits in ([120.0, -120.0], [-120.0, 120.0]))
    loss, wanted = attempt(function, real, fake, 0.9), _smoothed(real, fake, 0.9)
    expect(
        torch.allclose(loss, wanted, rtol=1e-4) and _same_slopes(loss, wanted, (real, fake)),
        f"at logits of +-120 the loss is {loss.item():.4g}, not {wanted.item():.4g}, or its gradient is wrong.",
        "The sigmoid of 120 is 1 in float32, and log(1 - 1) is no number. Stay on the logits: softplus.",
    )


def _smoothed(real: Tensor, fake: Tensor, target: float, fake_target: float = 0.0) -> Tensor:
    real_term = target * F.softplus(-real) + (1 - target) * F.softplus(real)
    fake_term = fake_target * F.softplus(-fake) + (1 - fake_target) * F.softplus(fake)
    return real_term.mean() + fake_term.mean()


def _smoothing_mistakes(real: Tensor, fake: Tensor, target: float) -> list[tuple[Tensor, str, str]]:
    both = "One-sided: only the real samples get the soft target. Fakes keep 0."
    rest = "A target of 0.9 says: be 90% sure that it is real *and 10% sure that it is not*. What is the second term?"
    return [
        (_smoothed(real, fake, target, 1 - target), "the fakes are smoothed too: this is two-sided.", both),
        (_smoothed(real, fake, 1.0, 1 - target), "the fakes are smoothed and the real samples are not.", both),
        (
            target * F.softplus(-real).mean() + F.softplus(fake).mean(),
            "the real term is only scaled: D may still be as sure as it likes, at a lower price.",
            rest,
        ),
        (
            F.softplus(-target * real).mean() + F.softplus(fake).mean(),
            "the logits are scaled, not the target.",
            rest,
        ),
        (
            F.softplus(target - real).mean() + F.softplus(fake).mean(),
            "the target is subtracted from the logit. It is a probability, and belongs to the cross-entropy.",
            rest,
        ),
        (_smoothed(real, fake, 1.0), "nothing is smoothed: this is the usual loss.", "Use `target`."),
        (_smoothed(real, fake, 1 - target), "the target is turned round: D would call real samples fake.", rest),
        (
            _smoothed(real, fake, target) / 2,
            "the loss is half of what it should be: the course adds two means.",
            "No mean over real and fake together.",
        ),
    ]


@check
def packed(function: Any) -> None:
    """(N, dim) to (N / pack, pack * dim): each sample whole, and used once."""
    samples = torch.randperm(24).float().reshape(12, 2).requires_grad_(True)  # 24 different numbers
    for pack in (2, 3, 1):
        result = attempt(function, samples, pack)
        shape = (12 // pack, 2 * pack)
        if isinstance(result, Tensor) and result.shape == (12, 2 * pack) and pack > 1:
            expect(
                not all(torch.equal(result[:, 2 * i : 2 * i + 2], samples) for i in range(pack)),
                "each sample is packed with copies of itself: D learns nothing about variety.",
                "A pack holds *different* samples.",
            )
            expect(False, f"there are 12 packs, but 12 samples make {12 // pack}.", "Each sample goes into one pack.")
        if isinstance(result, Tensor) and result.ndim == 3:
            expect(False, f"the shape is {tuple(result.shape)}; D wants rows.", "Flatten the pack and its coordinates.")
        if isinstance(result, Tensor) and result.shape == (12 // pack, 2) and pack > 1:
            expect(False, "the samples of a pack were averaged or dropped: D must see all of them.", "Side by side.")
        expect_tensor(result, shape, f"the result for 12 samples of 2 numbers and pack = {pack}")
        _expect_whole_samples(result, samples, pack)
    expect_tensor(attempt(function, torch.randn(8, 3), 2), (4, 6), "the result for 8 samples of 3 numbers and pack = 2")
    expect(
        result.requires_grad, "the result is cut off from the samples: G would learn nothing.", "No detach, no data."
    )


def _expect_whole_samples(result: Tensor, samples: Tensor, pack: int) -> None:
    places = result.reshape(-1, 2)  # the samples as they lie in the packs, whatever their order
    found = [_row_of(place, samples) for place in places]
    expect(
        None not in found,
        "samples were torn apart: the two coordinates of a point do not stand side by side any more.",
        "A pack is (x1, y1, x2, y2). `samples.T.reshape(...)` would mix all x before all y.",
    )
    expect(
        sorted(found) == list(range(len(samples))),
        f"with pack = {pack} some samples appear {max(map(found.count, found))} times and "
        f"{len(samples) - len(set(found))} not at all.",
        "Each sample goes into exactly one pack.",
    )


def _row_of(place: Tensor, samples: Tensor) -> int | None:
    rows = (samples == place).all(1).nonzero().flatten().tolist()
    return rows[0] if rows else None


@check
def gradient_norm(function: Any) -> None:
    """The norm of the gradient of G's loss by all weights of G together; a measurement leaves no trace."""
    torch.default_generator.manual_seed(3)
    generator, discriminator = networks.PointGenerator(2, 2, (6,)), networks.PointDiscriminator(2, (6,))
    z = torch.randn(16, 2)
    for parameter in generator.parameters():
        parameter.grad = torch.full_like(parameter, 0.5)  # left over from an earlier step
    before = _state(generator), _state(discriminator)
    result = attempt(function, generator, discriminator, z, _non_saturating)
    after = _state(generator), _state(discriminator)
    frozen = not all(p.requires_grad for p in (*generator.parameters(), *discriminator.parameters()))
    number = isinstance(result, int | float) or (isinstance(result, Tensor) and result.numel() == 1)
    expect(number, f"the result should be one number, but is a {type(result).__name__}.", "One norm over all weights.")
    value = float(result)
    generator, discriminator = (_restored(*pair) for pair in zip((generator, discriminator), before, strict=True))
    for wrong, problem, hint in _norm_mistakes(generator, discriminator, z):
        expect(abs(value - wrong) > 1e-4 * abs(wrong), problem, hint)
    wanted = _norm(_gradients(generator, discriminator, z))
    expect(
        abs(value - wanted) < 1e-3 * wanted,
        f"it is {value:.5g}, but the norm of G's gradient is {wanted:.5g} here.",
        "Square root of the sum of the squares of all numbers in all gradients of G.",
    )
    trace = "A measurement leaves no trace. torch.autograd.grad returns the gradients and stores none."
    expect(
        _equal(before[0], after[0]), "the number is right, but your function changed G or its stored gradients.", trace
    )
    expect(
        _equal(before[1], after[1]), "the number is right, but it left gradients on D's weights, or moved them.", trace
    )
    expect(
        not frozen,
        "the number is right, but it left weights with requires_grad = False: the next step would not train them.",
        trace,
    )
    other = float(attempt(function, generator, discriminator, z, lambda logits: -3 * logits.mean()))
    wanted = _norm(_gradients(generator, discriminator, z, lambda logits: -3 * logits.mean()))
    expect(
        abs(other - wanted) < 1e-3 * wanted,
        f"with another loss it is {other:.5g} and not {wanted:.5g}.",
        "The loss is loss_of(discriminator(generator(z))).",
    )


def _state(network: torch.nn.Module) -> list[Tensor | None]:
    """Copies of all weights and of the gradients stored on them, None where there is none."""
    pairs = [(p, p.grad) for p in network.parameters()]
    return [None if tensor is None else tensor.detach().clone() for pair in pairs for tensor in pair]


def _restored(network: torch.nn.Module, state: list[Tensor | None]) -> torch.nn.Module:
    """The network with the weights of `state`, ready for gradients."""
    network.requires_grad_(True)
    with torch.no_grad():
        for parameter, weights in zip(network.parameters(), state[::2], strict=True):
            parameter.copy_(weights)
    return network


def _equal(first: list[Tensor | None], second: list[Tensor | None]) -> bool:
    pairs = zip(first, second, strict=True)
    return all(a is b if a is None or b is None else torch.equal(a, b) for a, b in pairs)


def _non_saturating(fake_logits: Tensor) -> Tensor:
    return F.softplus(-fake_logits).mean()


def _gradients(generator, discriminator, z: Tensor, loss_of=_non_saturating) -> list[Tensor]:
    loss = loss_of(discriminator(generator(z)))
    return list(torch.autograd.grad(loss, list(generator.parameters())))


def _norm(tensors: list[Tensor]) -> float:
    return torch.cat([tensor.flatten() for tensor in tensors]).norm().item()


def _norm_mistakes(generator, discriminator, z: Tensor) -> list[tuple[float, str, str]]:
    gradients = _gradients(generator, discriminator, z)
    norms = torch.stack([gradient.norm() for gradient in gradients])
    codes = z.clone().requires_grad_(True)
    loss = _non_saturating(discriminator(generator(codes)))
    (by_code,) = torch.autograd.grad(loss, codes, retain_graph=True)
    by_judge = torch.autograd.grad(loss, list(discriminator.parameters()))
    stored = [gradient + 0.5 for gradient in gradients]
    together = "One long vector of all gradients, then its norm."
    return [
        (_norm(stored), "gradients of an earlier step are counted in.", "backward() adds to what is stored in .grad."),
        (norms.sum().item(), "the norms of the layers are added. That is more than the norm of the whole.", together),
        (norms.mean().item(), "this is the mean of the layers' norms.", together),
        (norms.max().item(), "this is the norm of one layer only, the largest.", together),
        (norms.square().sum().item(), "the square root is missing.", together),
        (_norm([by_code]), "this is the gradient by the codes z. The weights of G are what training moves.", together),
        (_norm(list(by_judge)), "this is the gradient by D's weights.", "generator.parameters()."),
        (_norm([*gradients, *by_judge]), "D's weights are counted in.", "generator.parameters() only."),
        (_norm(gradients) / len(torch.cat([g.flatten() for g in gradients])), "this is a mean, not a norm.", together),
    ]


def _two_losses(function: Any, real: list[float], fake: list[float]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What the answer returns for these logits, and the logits, which carry gradients."""
    real_logits, fake_logits = torch.tensor(real, requires_grad=True), torch.tensor(fake, requires_grad=True)
    result = attempt(function, real_logits, fake_logits)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "two losses should be returned: D's and G's.", "return d_loss, g_loss")
    for name, loss in zip("DG", result, strict=True):
        expect_tensor(loss, (), f"{name}'s loss")
    return *result, real_logits, fake_logits


def _same_slopes(a: Tensor, b: Tensor, inputs: tuple[Tensor, ...]) -> bool:
    """Whether two losses have the same gradient by all the inputs; no way counts as 0."""
    for logits in inputs:
        first, second = (gradient_of(loss, logits) for loss in (a, b))
        zero = torch.zeros_like(logits)
        if not torch.allclose(zero if first is None else first, zero if second is None else second, atol=1e-5):
            return False
    return True


def _name_slopes(what: str, loss: Tensor, inputs: tuple[Tensor, ...], mistakes: list[tuple[Tensor, str, str]]) -> None:
    """Stop if the loss has no gradient, or that of a known mistake."""
    ways = any(gradient_of(loss, logits) is not None for logits in inputs)
    expect(ways, f"no gradient flows from {what} to the logits.", "No .item(), .detach() or new tensor.")
    for wrong, problem, hint in mistakes:
        expect(not _same_slopes(loss, wrong, inputs), problem, hint)


@check
def read_the_curves(answer: Any) -> None:
    """What each recorded training is: healthy, collapsed, saturated or overpowered."""
    expect(
        isinstance(answer, dict) and set(answer) == set(recordings.VERDICTS),
        "the answer should be a dictionary with the keys A to F.",
        'For example {"A": "healthy", "B": "collapsed", ...}.',
    )
    if all(word is None for word in answer.values()):
        raise NotImplementedError
    words = {letter: str(word).strip().lower() for letter, word in answer.items()}
    for letter, word in words.items():
        known = word in recordings.LOOK_AT
        expect(known, f"{letter} is called {answer[letter]!r}.", f"The words are {', '.join(recordings.LOOK_AT)}.")
    for letter, right in recordings.VERDICTS.items():
        expect(
            words[letter] == right,
            f"recording {letter} is not {words[letter]}: {recordings.against(words[letter], letter)}",
            recordings.LOOK_AT[right],
        )
