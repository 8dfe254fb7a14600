"""The steps of StarGAN: the game as ever, D names domains, G obeys them and can undo what it did."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course import device as devices
from gan_course import losses
from gan_course.networks import StarGANLogits
from gan_course.training import distributed
from gan_course.training.loop import descend, penalty_term
from gan_course.training.run import Run


def stargan_step(
    reconstruction_weight: float = 10.0, identity_weight: float = 0.0
) -> Callable[[Run], dict[str, Tensor]]:
    """A recipe's `step` for a StarGANGenerator and a StarGANDiscriminator: the steps of D, then one of G.

    A batch of real images comes with their domains. Each image is asked to go to a domain that is drawn for it, its own
    among them. D learns to tell real from generated, and the domain of *real* images. G is to pass as real, to be named
    as the domain it was asked for, and to come back: its translation, translated to the *original* domain, should be
    the image it started from.

    The weight of the domain terms is the recipe's class_weight, lambda_cls of the paper.

    Args:
        reconstruction_weight: lambda_rec of the paper, of the mean absolute error.
        identity_weight: of one more term, which the paper does not have: an image that was asked to go to its own
            domain should stay as it is. The mean absolute error of these images; without it, G may turn light into
            dark and back, and all other terms agree.

    Source: Choi et al. (2018), equations 1 to 6. Their code draws the domains by shuffling those of the batch. The
    identity term is CycleGAN's (Zhu et al., 2017, section 5.2).
    """

    def step(run: Run) -> dict[str, Tensor]:
        critic_steps = run.recipe.critic_steps(run.step)
        for i in range(critic_steps):
            real, source = run.batch()
            target = draw_targets(run)
            with torch.set_grad_enabled(i == critic_steps - 1), devices.autocast(run.device):
                fake = run.generator(real, target)
            measured = _d_step(run, real, source, fake.detach())
        return measured | _g_step(run, real, source, target, fake, reconstruction_weight, identity_weight)

    return step


def draw_targets(run: Run) -> Tensor:
    """A domain for each image of a batch to go to, int64 (N,), all equally likely."""
    labels = torch.randint(
        run.generator.classes, (run.recipe.batch_size,), generator=run.rng, device=run.device
    )  # of the whole batch: several processes draw the same numbers, and each takes its part
    return distributed.part(labels)


def _d_step(run: Run, real: Tensor, source: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """The domain term is on real images alone: a fake is not yet of its domain, and its label would mislead D."""
    run.discriminator.requires_grad_(True)
    on_real, on_fake = judge(run, real), judge(run, fake)
    loss = run.loss.discriminator(on_real.logits, on_fake.logits)
    class_loss = F.cross_entropy(on_real.class_logits, source)
    penalty = penalty_term(run, lambda images: run.discriminator(images).logits, real, fake)
    descend(run.d_optimizer, loss + run.recipe.class_weight * class_loss + penalty)
    return {
        "d_loss": loss.detach(),
        "d_class_loss": class_loss.detach(),
        "d_real": on_real.logits.detach().sigmoid().mean(),
        "d_fake": on_fake.logits.detach().sigmoid().mean(),
    }


def _g_step(
    run: Run,
    real: Tensor,
    source: Tensor,
    target: Tensor,
    fake: Tensor,
    reconstruction_weight: float,
    identity_weight: float,
) -> dict[str, Tensor]:
    run.discriminator.requires_grad_(False)
    on_fake = judge(run, fake)
    real_logits = judge(run, real).logits if run.loss.needs_real else None
    loss = run.loss.generator(on_fake.logits, real_logits)
    class_loss = F.cross_entropy(on_fake.class_logits, target)
    total = loss + run.recipe.class_weight * class_loss
    measured = {"g_loss": loss.detach(), "g_class_loss": class_loss.detach()}
    if reconstruction_weight:
        with devices.autocast(run.device):
            back = run.generator(fake, source)
        reconstruction = losses.l1(back.float(), real)
        total = total + reconstruction_weight * reconstruction
        measured["reconstruction"] = reconstruction.detach()
    if identity_weight:
        identity = _of_those(source == target, (fake.float() - real).abs().mean((1, 2, 3)))
        total = total + identity_weight * identity
        measured["identity"] = identity.detach()
    descend(run.g_optimizer, total)
    if run.ema:
        run.ema.update()
    return measured


def _of_those(chosen: Tensor, values: Tensor) -> Tensor:
    """The mean of the values (N,) that are chosen, bool (N,); 0 if none is."""
    return (values * chosen).sum() / chosen.sum().clamp_min(1)


def judge(run: Run, images: Tensor) -> StarGANLogits:
    """Both heads' answers, in float32."""
    with devices.autocast(run.device):
        judged = run.discriminator(images)
    return StarGANLogits(*(part.float() for part in judged))
