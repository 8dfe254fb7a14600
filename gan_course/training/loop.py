"""The training loop. Every method of the course runs through `train`; a recipe says what one step is."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from gan_course import device as devices
from gan_course import penalties
from gan_course.training import distributed
from gan_course.training.interrupt import GracefulInterrupt
from gan_course.training.run import Run


def d_step(run: Run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """One step of the discriminator on real images and on fakes that carry no graph. Returns what it measured."""
    recipe = run.recipe
    run.discriminator.requires_grad_(True)
    with devices.autocast(run.device):
        real_logits, fake_logits = run.judge(real), run.judge(fake)
    real_logits, fake_logits = real_logits.float(), fake_logits.float()
    loss = run.loss.discriminator(real_logits, fake_logits)
    descend(run.d_optimizer, loss + penalty_term(run, run.judge, real, fake))
    if recipe.clip:
        penalties.clip_weights(run.discriminator, recipe.clip)
    return {
        "d_loss": loss.detach(),
        "d_real": real_logits.detach().sigmoid().mean(),
        "d_fake": fake_logits.detach().sigmoid().mean(),
    }


def g_step(run: Run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """One step of the generator on the fakes that the discriminator has just seen; the discriminator is frozen."""
    run.discriminator.requires_grad_(False)
    with devices.autocast(run.device):
        fake_logits = run.judge(fake).float()
        real_logits = run.judge(real).float() if run.loss.needs_real else None
    loss = run.loss.generator(fake_logits, real_logits)
    descend(run.g_optimizer, loss)
    if run.ema:
        run.ema.update()
    return {"g_loss": loss.detach()}


def penalty_term(run: Run, judge, real: Tensor, fake: Tensor) -> Tensor | float:
    """The recipe's penalty times its weight, or 0 on a step without one. `judge`: images -> logits."""
    recipe = run.recipe
    if recipe.penalty is None or run.step % recipe.penalty_every:
        return 0.0
    # A penalty taken every k-th step weighs k times as much (lazy regularisation, Karras et al. 2020).
    weight = recipe.weight_of_penalty(run.progress) * recipe.penalty_every
    return weight * recipe.penalty(judge, real, fake, run.rng)


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step of an optimizer down a loss; of several processes, down the mean of their losses."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    distributed.average_gradients(optimizer)
    optimizer.step()


def gan_step(run: Run) -> dict[str, Tensor]:
    """The recipe's steps of the discriminator, then one of the generator, which reuses the last fakes."""
    critic_steps = run.recipe.critic_steps(run.step)
    for i in range(critic_steps):
        real, run.labels = run.batch()  # a conditional generator is asked for the classes of the real images
        is_last = i == critic_steps - 1
        with torch.set_grad_enabled(is_last), devices.autocast(run.device):
            fake = run.generate(run.noise())
        measured = run.recipe.d_step(run, real, fake.detach())
    return measured | run.recipe.g_step(run, real, fake)


def train(run: Run, steps: int | None = None, seconds: float | None = None, callbacks=(), log_every: int = 50) -> Run:
    """Train until `run.step` reaches `steps` or `run.seconds` reaches `seconds`, whichever comes first.

    Args:
        run: a fresh run, or one that a checkpoint was loaded into.
        steps, seconds: the whole budget of the run, what is done already included (default: the recipe's steps).
        callbacks: objects with `on_step(run)` and `on_end(run)`; of several processes, the first calls them.
        log_every: how many steps one row of `run.history` averages; the only place where a loss is read.

    Ctrl-C, or JupyterLab's stop button, ends training after the step in hand and returns as usual.

    Raises:
        FloatingPointError: a loss is no longer a number.
        SystemExit: the process was told to end; the callbacks were called before.
    """
    if steps is None and seconds is None:
        steps = run.recipe.steps
    callbacks = callbacks if distributed.is_first() else ()
    started = time.perf_counter() - run.seconds
    totals: dict[str, Tensor] = {}
    with GracefulInterrupt() as interrupt:
        while True:
            run.seconds, stopped = distributed.agree(run.seconds, interrupt.requested)
            run.progress = max(run.step / steps if steps else 0, run.seconds / seconds if seconds else 0)
            if stopped or run.progress >= 1:
                break
            run.set_learning_rates()
            for name, value in run.recipe.step(run).items():
                totals[name] = totals[name] + value if name in totals else value
            run.images_seen += run.recipe.critic_steps(run.step) * run.recipe.batch_size
            run.step += 1
            run.seconds = time.perf_counter() - started
            if run.step % log_every == 0:
                run.record(totals, log_every)
                totals = {}
            for callback in callbacks:
                callback.on_step(run)
    for callback in callbacks:
        callback.on_end(run)
    if interrupt.terminated:
        raise SystemExit(143)  # 128 + SIGTERM, what a shell expects of a program that was told to end
    if stopped:
        print(f"Stopped by hand after step {run.step}.")
    return run
