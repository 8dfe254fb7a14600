"""The steps of the methods that turn images into images: pix2pix and CycleGAN.

Both are ordinary GAN steps: fakes are made once, D learns from them without their graph, then G from the same fakes,
with D frozen. What is new is what D sees, and what is added to G's loss. The weights are the recipe's `translation`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gan_course import device as devices
from gan_course import losses
from gan_course.training.loop import d_step, descend
from gan_course.training.run import Run


def pix2pix_step(run: Run) -> dict[str, Tensor]:
    """D judges inputs and outputs together, real pairs against inputs with their translations; G adds L1.

    Source: Isola et al. (2017), equations 1 to 4. The paper halves D's loss, which Adam does not notice.
    """
    weights = run.recipe.translation
    inputs, targets = run.batch()
    with devices.autocast(run.device):
        fakes = run.generator(inputs)
    measured: dict[str, Tensor] = {}
    l1 = losses.l1(fakes.float(), targets)
    total = weights.l1 * l1
    if weights.adversarial:
        measured |= d_step(run, joined(inputs, targets), joined(inputs, fakes.detach()))
        run.discriminator.requires_grad_(False)
        with devices.autocast(run.device):
            fake_logits = run.discriminator(joined(inputs, fakes)).float()
        adversarial = run.loss.generator(fake_logits)
        measured["g_loss"] = adversarial.detach()
        total = total + weights.adversarial * adversarial
    descend_generator(run, total)
    return measured | {"l1": l1.detach()}


def joined(inputs: Tensor, outputs: Tensor) -> Tensor:
    """What a conditional D sees: inputs (N, A, H, W) and outputs (N, B, H, W) along the channels, (N, A + B, H, W)."""
    return torch.cat([inputs, outputs], dim=1)


class Translated(NamedTuple):
    """What both generators of a CycleGAN made of a batch; images (N, C, H, W) each.

    fake_*: the other side's images, brought to this side; same_*: this side's own, by the generator that leads here.
    """

    fake_inputs: Tensor
    fake_targets: Tensor
    same_inputs: Tensor | None
    same_targets: Tensor | None


def cyclegan_step(run: Run) -> dict[str, Tensor]:
    """Two games, one on each side, joined by cycle and identity. Inputs and targets are no pairs.

    Source: Zhu et al. (2017), equations 1 to 3, and L_identity of section 5.2; the pool of section 4.
    """
    inputs, targets = run.batch()
    made = translated(run, inputs, targets)
    measured = _judges_step(run, inputs, targets, made)
    return measured | _cycle_g_step(run, inputs, targets, made)


def translated(run: Run, inputs: Tensor, targets: Tensor) -> Translated:
    """One pass of either generator; what is for the identity goes through with the rest."""
    there, back, n = run.generator.there, run.generator.back, len(inputs)
    with devices.autocast(run.device):
        if not run.recipe.translation.identity:
            return Translated(back(targets).float(), there(inputs).float(), None, None)
        to_targets = there(torch.cat([inputs, targets])).float()
        to_inputs = back(torch.cat([targets, inputs])).float()
    return Translated(to_inputs[:n], to_targets[:n], to_inputs[n:], to_targets[n:])


def _judges_step(run: Run, inputs: Tensor, targets: Tensor, made: Translated) -> dict[str, Tensor]:
    """One step of both discriminators, each on its own side, on fakes that come through the pools."""
    run.discriminator.requires_grad_(True)
    fake_inputs, fake_targets = made.fake_inputs.detach(), made.fake_targets.detach()
    if run.pools:
        fake_inputs = run.pools["inputs"].exchange(fake_inputs, run.rng)
        fake_targets = run.pools["targets"].exchange(fake_targets, run.rng)
    loss, real_logits, fake_logits = 0.0, [], []
    sides = ((run.discriminator.inputs, inputs, fake_inputs), (run.discriminator.targets, targets, fake_targets))
    for judge, real, fake in sides:
        with devices.autocast(run.device):
            real_logits.append(judge(real).float())
            fake_logits.append(judge(fake).float())
        loss = loss + run.loss.discriminator(real_logits[-1], fake_logits[-1])
    descend(run.d_optimizer, loss)
    return {
        "d_loss": loss.detach(),
        "d_real": torch.cat(real_logits).detach().sigmoid().mean(),
        "d_fake": torch.cat(fake_logits).detach().sigmoid().mean(),
    }


def _cycle_g_step(run: Run, inputs: Tensor, targets: Tensor, made: Translated) -> dict[str, Tensor]:
    """One step of both generators: pass as real on the other side, come back as you were, leave alone what is there."""
    weights = run.recipe.translation
    run.discriminator.requires_grad_(False)
    with devices.autocast(run.device):
        on_inputs = run.discriminator.inputs(made.fake_inputs).float()
        on_targets = run.discriminator.targets(made.fake_targets).float()
    adversarial = run.loss.generator(on_inputs) + run.loss.generator(on_targets)
    measured = {"g_loss": adversarial.detach()}
    total = weights.adversarial * adversarial
    if weights.cycle:
        with devices.autocast(run.device):
            inputs_again = run.generator.back(made.fake_targets).float()
            targets_again = run.generator.there(made.fake_inputs).float()
        cycle = losses.cycle_consistency(inputs, inputs_again, targets, targets_again)
        total, measured["cycle"] = total + weights.cycle * cycle, cycle.detach()
    if weights.identity:
        identity = losses.identity_mapping(inputs, made.same_inputs, targets, made.same_targets)
        total, measured["identity"] = total + weights.identity * identity, identity.detach()
    descend_generator(run, total)
    return measured


def descend_generator(run: Run, loss: Tensor) -> None:
    """One step of G, and of its average where there is one."""
    descend(run.g_optimizer, loss)
    if run.ema:
        run.ema.update()
