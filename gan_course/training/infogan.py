"""The steps of InfoGAN: the game as ever, and both players raise the mutual-information bound."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from gan_course import device as devices
from gan_course import losses
from gan_course.networks import Codes, Judgement
from gan_course.training.loop import descend, penalty_term
from gan_course.training.run import Run


def infogan_step(category_weight: float = 1.0, continuous_weight: float = 1.0, bound_in_g: bool = True) -> Callable:
    """A recipe's `step` for an InfoGANGenerator and an InfoGANDiscriminator: one step of each player.

    D's step moves trunk, D and Q: it lowers D's loss and raises the bound. G's step lowers G's loss and raises the
    bound, with the discriminator frozen. So the bound moves both ends of the channel from code to answer: G writes the
    code into the image, Q learns to read it.

    Args:
        category_weight, continuous_weight: lambda of the paper, for either kind of code.
        bound_in_g: whether G is told of the bound. Without it G is a plain GAN that happens to have codes.

    Source: Chen et al. (2016), equation 6, where the bound belongs to G and Q; that D's optimizer has it, so that it
    moves the trunk too, is in the authors' code.
    """

    def step(run: Run) -> dict[str, Tensor]:
        real, _ = run.batch()
        z = run.noise()
        codes = run.generator.codes(z)
        with devices.autocast(run.device):
            fake = run.generator(z)
        measured = _d_step(run, real, fake.detach(), codes, category_weight, continuous_weight)
        weights = (category_weight, continuous_weight) if bound_in_g else (0.0, 0.0)
        return measured | _g_step(run, fake, codes, *weights)

    return step


def _d_step(run: Run, real: Tensor, fake: Tensor, codes: Codes, category_weight: float, continuous_weight: float):
    run.discriminator.requires_grad_(True)
    on_real, on_fake = judge(run, real), judge(run, fake)
    category, continuous = bounds(on_fake, codes)
    loss = run.loss.discriminator(on_real.logits, on_fake.logits)
    total = loss - category_weight * category - continuous_weight * continuous
    total = total + penalty_term(run, lambda images: run.discriminator(images).logits, real, fake)
    descend(run.d_optimizer, total)
    return {
        "d_loss": loss.detach(),
        "d_real": on_real.logits.detach().sigmoid().mean(),
        "d_fake": on_fake.logits.detach().sigmoid().mean(),
        "category_information": category.detach(),
        "continuous_information": continuous.detach(),
    }


def _g_step(run: Run, fake: Tensor, codes: Codes, category_weight: float, continuous_weight: float):
    run.discriminator.requires_grad_(False)
    judged = judge(run, fake)
    category, continuous = bounds(judged, codes)
    loss = run.loss.generator(judged.logits)
    descend(run.g_optimizer, loss - category_weight * category - continuous_weight * continuous)
    if run.ema:
        run.ema.update()
    return {"g_loss": loss.detach()}


def judge(run: Run, images: Tensor) -> Judgement:
    """Both heads' answers, in float32."""
    with devices.autocast(run.device):
        judged = run.discriminator(images)
    return Judgement(*(part.float() for part in judged))


def bounds(judged: Judgement, codes: Codes) -> tuple[Tensor, Tensor]:
    """The bound in nats of the categorical code, and of the continuous ones together."""
    category = losses.categorical_information(judged.category_logits, codes.category)
    return category, losses.gaussian_information(judged.mean, judged.log_std, codes.continuous)
