"""The training loop. Every method of the course runs through `train`; a recipe says what one step is."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from gan_course import device as devices
from gan_course.losses import LOSSES
from gan_course.training.ema import ExponentialMovingAverage
from gan_course.training.interrupt import GracefulInterrupt


class Run:
    """Everything that changes while a recipe trains.

    Args:
        recipe: one of `methods.RECIPES`, or your own `methods.Recipe`.
        data: an ImageSet, or anything with `.image_shape` and `.batch(n, generator)`.
        seed: of the weights, the noise and the batches.
        device: default: the best one there is.
    """

    def __init__(self, recipe, data, seed: int = 0, device: str | torch.device | None = None):
        self.recipe, self.seed = recipe, seed
        self.device = devices.get(device)
        devices.prepare(self.device)
        # Weights are drawn on the CPU, so that one seed gives the same start on every device.
        torch.manual_seed(seed)
        self.generator = self._place(recipe.generator(data.image_shape))
        self.discriminator = self._place(recipe.discriminator(data.image_shape))
        self.data = data.to(self.device)
        self.rng = None if self.device.type == "meta" else torch.Generator(self.device).manual_seed(seed)
        self.loss = LOSSES[recipe.loss]
        self.g_optimizer = self._adam(self.generator, recipe.g_learning_rate)
        self.d_optimizer = self._adam(self.discriminator, recipe.d_learning_rate)
        self.ema = ExponentialMovingAverage(self.generator, recipe.ema_decay) if recipe.ema_decay else None
        self.step, self.seconds, self.progress = 0, 0.0, 0.0
        self.history: list[dict[str, float]] = []

    def _place(self, network: nn.Module) -> nn.Module:
        return network.to(self.device, memory_format=torch.channels_last)

    def _adam(self, network: nn.Module, learning_rate: float) -> torch.optim.Adam:
        fused = self.device.type in ("cpu", "cuda")
        return torch.optim.Adam(network.parameters(), learning_rate, self.recipe.betas, fused=fused)

    @property
    def sampler(self) -> nn.Module:
        """The generator to draw samples from: the averaged one where the recipe averages."""
        return self.ema.network if self.ema else self.generator

    def noise(self, n: int | None = None) -> Tensor:
        """`n` (default: one batch) codes z from N(0, 1), (n, latent_dim)."""
        shape = (n or self.recipe.batch_size, self.generator.latent_dim)
        return torch.randn(shape, generator=self.rng, device=self.device)

    def set_learning_rates(self) -> None:
        """Both learning rates for the progress made: constant, or falling on a line to 0 at the end of the budget."""
        factor = 1 - self.progress if self.recipe.learning_rate_decay else 1.0
        self.g_optimizer.param_groups[0]["lr"] = self.recipe.g_learning_rate * factor
        self.d_optimizer.param_groups[0]["lr"] = self.recipe.d_learning_rate * factor


def d_step(run: Run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """One step of the discriminator on real images and on fakes that carry no graph. Returns what it measured."""
    recipe = run.recipe
    run.discriminator.requires_grad_(True)
    with devices.autocast(run.device):
        real_logits, fake_logits = run.discriminator(real), run.discriminator(fake)
    real_logits, fake_logits = real_logits.float(), fake_logits.float()
    loss = total = run.loss.discriminator(real_logits, fake_logits)
    if recipe.penalty and run.step % recipe.penalty_every == 0:
        # A penalty taken every k-th step weighs k times as much (lazy regularisation, Karras et al. 2020).
        weight = recipe.penalty_weight * recipe.penalty_every
        total = loss + weight * recipe.penalty(run.discriminator, real, fake, run.rng)
    run.d_optimizer.zero_grad(set_to_none=True)
    total.backward()
    run.d_optimizer.step()
    return {
        "d_loss": loss.detach(),
        "d_real": real_logits.detach().sigmoid().mean(),
        "d_fake": fake_logits.detach().sigmoid().mean(),
    }


def g_step(run: Run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """One step of the generator on the fakes that the discriminator has just seen; the discriminator is frozen."""
    run.discriminator.requires_grad_(False)
    with devices.autocast(run.device):
        fake_logits = run.discriminator(fake).float()
        real_logits = run.discriminator(real).float() if run.loss.needs_real else None
    loss = run.loss.generator(fake_logits, real_logits)
    run.g_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    run.g_optimizer.step()
    if run.ema:
        run.ema.update()
    return {"g_loss": loss.detach()}


def gan_step(run: Run) -> dict[str, Tensor]:
    """`n_critic` steps of the discriminator, then one of the generator, which reuses the last fakes."""
    recipe = run.recipe
    for i in range(recipe.n_critic):
        real, _ = run.data.batch(recipe.batch_size, run.rng)
        real = real.contiguous(memory_format=torch.channels_last)
        is_last = i == recipe.n_critic - 1
        with torch.set_grad_enabled(is_last), devices.autocast(run.device):
            fake = run.generator(run.noise())
        measured = recipe.d_step(run, real, fake.detach())
    return measured | recipe.g_step(run, real, fake)


def train(run: Run, steps: int | None = None, seconds: float | None = None, callbacks=(), log_every: int = 50) -> Run:
    """Train until `run.step` reaches `steps` or `run.seconds` reaches `seconds`, whichever comes first.

    Args:
        run: a fresh run, or one that a checkpoint was loaded into.
        steps, seconds: the whole budget of the run, what is done already included (default: the recipe's steps).
        callbacks: objects with `on_step(run)` and `on_end(run)`.
        log_every: how many steps one row of `run.history` averages; the only place where a loss is read.

    Ctrl-C, or JupyterLab's stop button, ends training after the step in hand and returns as usual.

    Raises:
        FloatingPointError: a loss is no longer a number.
        SystemExit: the process was told to end; the callbacks were called before.
    """
    if steps is None and seconds is None:
        steps = run.recipe.steps
    started = time.perf_counter() - run.seconds
    totals: dict[str, Tensor] = {}
    with GracefulInterrupt() as interrupt:
        while not interrupt.requested:
            run.progress = max(run.step / steps if steps else 0, run.seconds / seconds if seconds else 0)
            if run.progress >= 1:
                break
            run.set_learning_rates()
            for name, value in run.recipe.step(run).items():
                totals[name] = totals[name] + value if name in totals else value
            run.step += 1
            run.seconds = time.perf_counter() - started
            if run.step % log_every == 0:
                record(run, totals, log_every)
                totals = {}
            for callback in callbacks:
                callback.on_step(run)
    for callback in callbacks:
        callback.on_end(run)
    if interrupt.terminated:
        raise SystemExit(143)  # 128 + SIGTERM, what a shell expects of a program that was told to end
    if interrupt.requested:
        print(f"Stopped by hand after step {run.step}.")
    return run


def record(run: Run, totals: dict[str, Tensor], count: int) -> None:
    """Add the means of the last `count` steps to the history."""
    row = {name: float(value) / count for name, value in totals.items()}
    bad = [name for name, value in row.items() if value != value or abs(value) == float("inf")]
    if bad:
        raise FloatingPointError(
            f"Training diverged before step {run.step}: {', '.join(bad)} is no longer a number. Lower the learning "
            "rates, or go back to the last checkpoint."
        )
    run.history.append({"step": run.step, "seconds": run.seconds, **row})


@torch.inference_mode()
def sample(generator: nn.Module, n: int, seed: int = 0, batch_size: int = 500) -> Tensor:
    """`n` images from a generator in evaluation mode, float32 (n, C, H, W) on the CPU, in [-1, 1].

    The codes are drawn on the CPU, so that a seed gives the same codes on every device.
    """
    place = next(generator.parameters()).device
    z = torch.randn(n, generator.latent_dim, generator=torch.Generator().manual_seed(seed))
    was_training = generator.training
    generator.eval()
    images = [generator(part.to(place)).float().cpu() for part in z.split(batch_size)]
    generator.train(was_training)
    return torch.cat(images)
