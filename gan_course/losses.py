"""The adversarial losses, as pure functions of logits.

Every discriminator of the course returns logits, the l in D(x) = sigmoid(l). A loss never takes the sigmoid's
logarithm itself: `log(sigmoid(l) + 1e-8)` has a gradient of about 0 at l = -30 where the true one is 1, while
softplus(-l) = -log sigmoid(l) is exact at any l.

Each loss averages over whatever shape it is given: (N,), or the (N, 1, h, w) of a PatchGAN. The discriminator's loss is
the mean of its real term plus the mean of its fake term, without a factor of one half. Both players minimise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class AdversarialLoss:
    """What the two players minimise.

    Attributes:
        name: its key in LOSSES.
        discriminator: (real_logits, fake_logits) -> scalar.
        generator: (fake_logits, real_logits=None) -> scalar; only the relativistic one reads real_logits.
        needs_real: whether the generator's loss reads real_logits.
        source: paper and equation.
    """

    name: str
    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[..., Tensor]
    source: str
    needs_real: bool = False


def cross_entropy_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-E log D(x) - E log(1 - D(G(z))), the negative of the value function of the game."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def minimax_generator(fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
    """E log(1 - D(G(z))). Its gradient at the logit is -D(G(z)): next to nothing while D rejects the fakes."""
    return -F.softplus(fake_logits).mean()


def non_saturating_generator(fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
    """-E log D(G(z)). Its gradient at the logit is D(G(z)) - 1: about -1 while D rejects the fakes."""
    return F.softplus(-fake_logits).mean()


def least_squares_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E (l(x) - 1)^2 + E l(G(z))^2."""
    return (real_logits - 1).square().mean() + fake_logits.square().mean()


def least_squares_generator(fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
    """E (l(G(z)) - 1)^2."""
    return (fake_logits - 1).square().mean()


def hinge_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E max(0, 1 - l(x)) + E max(0, 1 + l(G(z)))."""
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def wasserstein_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E l(G(z)) - E l(x); a distance only if the critic is kept Lipschitz by a penalty or clipping."""
    return fake_logits.mean() - real_logits.mean()


def negated_generator(fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
    """-E l(G(z)), the generator's loss of both hinge and Wasserstein GANs."""
    return -fake_logits.mean()


def relativistic_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E softplus(l(G(z)) - l(x)) over pairs of one real and one fake sample.

    Raises:
        ValueError: the shapes differ, so there are no pairs.
    """
    _check_pairs(real_logits, fake_logits)
    return F.softplus(fake_logits - real_logits).mean()


def relativistic_generator(fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
    """E softplus(l(x) - l(G(z))) over pairs.

    Raises:
        ValueError: real_logits is missing, or the shapes differ.
    """
    if real_logits is None:
        raise ValueError(
            "The relativistic loss compares each fake with a real sample; pass real_logits to its generator loss too."
        )
    _check_pairs(real_logits, fake_logits)
    return F.softplus(real_logits - fake_logits).mean()


def _check_pairs(real_logits: Tensor, fake_logits: Tensor) -> None:
    if real_logits.shape != fake_logits.shape:
        raise ValueError(
            "The relativistic loss pairs real with fake logits, so both need one shape, but they are "
            f"{tuple(real_logits.shape)} and {tuple(fake_logits.shape)}."
        )


LOSSES: dict[str, AdversarialLoss] = {
    loss.name: loss
    for loss in (
        AdversarialLoss(
            "minimax",
            cross_entropy_discriminator,
            minimax_generator,
            "Goodfellow et al. (2014), equation 1",
        ),
        AdversarialLoss(
            "non_saturating",
            cross_entropy_discriminator,
            non_saturating_generator,
            "Goodfellow et al. (2014), section 3, after equation 1",
        ),
        AdversarialLoss(
            "least_squares",
            least_squares_discriminator,
            least_squares_generator,
            "Mao et al. (2017), with a = 0, b = c = 1, without its factors of one half",
        ),
        AdversarialLoss(
            "hinge",
            hinge_discriminator,
            negated_generator,
            "Lim and Ye (2017); Miyato et al. (2018), equations 16 and 17",
        ),
        AdversarialLoss(
            "wasserstein",
            wasserstein_discriminator,
            negated_generator,
            "Arjovsky, Chintala, Bottou (2017), Algorithm 1",
        ),
        AdversarialLoss(
            "relativistic",
            relativistic_discriminator,
            relativistic_generator,
            "Jolicoeur-Martineau (2019), the relativistic standard GAN, which Huang et al. (2024) call RpGAN",
            needs_real=True,
        ),
    )
}


def auxiliary_discriminator(real_class_logits: Tensor, fake_class_logits: Tensor, labels: Tensor) -> Tensor:
    """-E log P(class | real image) - E log P(class | fake image), the class terms of an ACGAN's discriminator.

    Args:
        real_class_logits, fake_class_logits: (N, K), before any softmax: the cross-entropy takes the softmax itself,
            and after a second one a perfect answer among ten classes would still cost 1.46.
        labels: int64 (N,), of the real images, and what the fakes were asked to be.

    Source: Odena, Olah, Shlens (2017), section 3: L_C, which both players maximise.
    """
    return F.cross_entropy(real_class_logits, labels) + F.cross_entropy(fake_class_logits, labels)


def auxiliary_generator(fake_class_logits: Tensor, labels: Tensor) -> Tensor:
    """-E log P(class | fake image), the class term of an ACGAN's generator; see `auxiliary_discriminator`."""
    return F.cross_entropy(fake_class_logits, labels)


def smoothed(loss: str | AdversarialLoss, real_target: float = 0.9) -> AdversarialLoss:
    """A cross-entropy loss whose D is told "0.9 real" in place of "real": one-sided label smoothing.

    With target t the real term is -t log D(x) - (1 - t) log(1 - D(x)), which is least at D(x) = t and not at 1, so that
    D is never paid for being ever more certain. On the logit l that is softplus(-l) + (1 - t) l. Fakes keep their
    target 0: smoothing it too would reward D for calling bad fakes slightly real. The generator's loss stays.

    Args:
        loss: "minimax" or "non_saturating", or such a loss.
        real_target: t, above 0.5 and at most 1; 1 is the loss itself.

    Raises:
        ValueError: the loss is none with cross-entropy, or the target is out of range.

    Source: Salimans et al. (2016), section 3.4.
    """
    base = LOSSES[loss] if isinstance(loss, str) else loss
    if base.discriminator is not cross_entropy_discriminator:
        raise ValueError(f"Only the cross-entropy losses have targets to smooth, and {base.name!r} is none of them.")
    if not 0.5 < real_target <= 1:
        raise ValueError(f"The target of real samples must be above 0.5 and at most 1, but it is {real_target}.")

    def discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return cross_entropy_discriminator(real_logits, fake_logits) + (1 - real_target) * real_logits.mean()

    return AdversarialLoss(
        f"{base.name}, real target {real_target:g}",
        discriminator,
        base.generator,
        f"{base.source}; Salimans et al. (2016), section 3.4",
    )


def categorical_information(category_logits: Tensor, category: Tensor) -> Tensor:
    """A lower bound, in nats, on what an image tells about its category: log K + E log Q(c | x).

    It is log K less the cross-entropy of Q, at most log K, and 0 for a Q that only guesses. It is to be maximised.

    Args:
        category_logits: Q's answer (N, K), before any softmax: the cross-entropy takes one itself.
        category: the true categories, int64 (N,), each of the K as likely as any other.

    Source: Chen et al. (2016), equations 4 and 5, with H(c) = log K.
    """
    return math.log(category_logits.shape[1]) - F.cross_entropy(category_logits, category)


def gaussian_information(mean: Tensor, log_std: Tensor, code: Tensor) -> Tensor:
    """A lower bound, in nats, on what an image tells about its continuous codes: log 2 + E log Q(c | x), summed.

    Q is a normal distribution for each code; log 2 is the entropy of a code that is uniform on [-1, 1]. With log_std 0
    the bound is a squared error in other units, and stays below log 2 - log(2 pi) / 2 = -0.23 a code.

    Args:
        mean, log_std: Q's answer, (N, codes) each.
        code: the true codes (N, codes).

    Source: Chen et al. (2016), equations 4 and 5; the normal distribution is from appendix C.
    """
    log_likelihood = -0.5 * ((code - mean) / log_std.exp()).square() - log_std - 0.5 * math.log(2 * math.pi)
    return (log_likelihood + math.log(2)).sum(1).mean()


def l1(output: Tensor, target: Tensor) -> Tensor:
    """E |output - target|, the mean over images and pixels: how far a translation is from what it should be.

    Raises:
        ValueError: the shapes differ; a grey image would silently be compared with each colour of the other.

    Source: Isola et al. (2017), equation 3, as a mean over the pixels.
    """
    if output.shape != target.shape:
        raise ValueError(f"Images of one shape are compared, but got {tuple(output.shape)} and {tuple(target.shape)}.")
    return (output - target).abs().mean()


def cycle_consistency(inputs: Tensor, inputs_again: Tensor, targets: Tensor, targets_again: Tensor) -> Tensor:
    """E |F(G(x)) - x| + E |G(F(y)) - y|: there and back again should change nothing, from either side.

    Source: Zhu et al. (2017), equation 2, as a mean over the pixels.
    """
    return l1(inputs_again, inputs) + l1(targets_again, targets)


def identity_mapping(inputs: Tensor, same_inputs: Tensor, targets: Tensor, same_targets: Tensor) -> Tensor:
    """E |G(y) - y| + E |F(x) - x|: what is on the other side already should be left alone.

    Args:
        same_inputs, same_targets: F(x) and G(y): each generator's answer to an image of its own goal.

    Source: Zhu et al. (2017), section 5.2, L_identity, as a mean over the pixels.
    """
    return l1(same_targets, targets) + l1(same_inputs, inputs)
