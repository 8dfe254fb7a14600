"""The steps of a GAN whose discriminator names the class too (ACGAN)."""

from __future__ import annotations

from torch import Tensor

from gan_course import device as devices
from gan_course import losses
from gan_course.training.loop import descend, penalty_term


def auxiliary_d_step(run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """One step of a discriminator with two heads: real or generated, and which class; on real images and on fakes.

    Source: Odena, Olah, Shlens (2017), section 3: D maximises L_S + L_C.
    """
    run.discriminator.requires_grad_(True)
    with devices.autocast(run.device):
        on_real, on_fake = run.discriminator(real), run.discriminator(fake)
    real_logits, fake_logits = on_real.logits.float(), on_fake.logits.float()
    loss = run.loss.discriminator(real_logits, fake_logits)
    class_logits = on_real.class_logits.float(), on_fake.class_logits.float()
    class_loss = losses.auxiliary_discriminator(*class_logits, run.labels)
    penalty = penalty_term(run, lambda images: run.discriminator(images).logits, real, fake)
    descend(run.d_optimizer, loss + run.recipe.class_weight * class_loss + penalty)
    return {
        "d_loss": loss.detach(),
        "d_class_loss": class_loss.detach(),
        "d_real": real_logits.detach().sigmoid().mean(),
        "d_fake": fake_logits.detach().sigmoid().mean(),
    }


def auxiliary_g_step(run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """One step of the generator: its fakes should pass as real, and as the class that it was asked for.

    Source: Odena, Olah, Shlens (2017), section 3: G maximises L_C - L_S.
    """
    run.discriminator.requires_grad_(False)
    with devices.autocast(run.device):
        on_fake = run.discriminator(fake)
        real_logits = run.discriminator(real).logits.float() if run.loss.needs_real else None
    loss = run.loss.generator(on_fake.logits.float(), real_logits)
    class_loss = losses.auxiliary_generator(on_fake.class_logits.float(), run.labels)
    descend(run.g_optimizer, loss + run.recipe.class_weight * class_loss)
    if run.ema:
        run.ema.update()
    return {"g_loss": loss.detach(), "g_class_loss": class_loss.detach()}
