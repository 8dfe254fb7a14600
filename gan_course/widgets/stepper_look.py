"""What there is to see of the stepper's game: D as a map, fakes and their pushes, the warped grid, the modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_course import metrics
from gan_course.losses import AdversarialLoss
from gan_course.widgets.raster import PlainError, eval_mode
from gan_course.widgets.raster_2d import Window, window_around
from gan_course.widgets.stepper_data import look_at
from gan_course.widgets.stepper_game import Game

MAP_SIDE = 48  # points across the window at which D is asked
SHOWN = 300  # real and generated points in the picture
JUDGED = 2500  # generated points behind the modes, as in PacGAN's protocol
LINES, BENDS = 13, 41  # lines of the warped grid each way, and points on each
PIXELS = 800  # twice what the picture has on the screen: smooth there, and sharp on a fine one


class Scale(NamedTuple):
    """How logits become a map in [0, 1], what its ends mean, and whether one half is where D changes its mind."""

    read: Callable[[Tensor], Tensor]
    low: str
    high: str
    has_middle: bool = True


def _relative(logits: Tensor) -> Tensor:
    low, high = logits.aminmax()
    return (logits - low) / (high - low).clamp_min(1e-12)


_CRITIC = Scale(_relative, "critic lowest here", "highest", has_middle=False)
_PROBABILITY = Scale(torch.sigmoid, "D(x) = 0, generated", "1, real")
SCALES = {
    "least_squares": Scale(lambda logits: logits.clamp(0, 1), "D at 0 or less, generated", "1 or more, real"),
    "hinge": Scale(lambda logits: ((logits + 1) / 2).clamp(0, 1), "D at -1 or less, generated", "1 or more, real"),
    "wasserstein": _CRITIC,
    "relativistic": _CRITIC,
}


def scale_of(loss: AdversarialLoss) -> Scale:
    """How the map of a D under this loss is read. Wasserstein and relativistic critics have no zero of their own."""
    return SCALES.get(loss.name, _PROBABILITY)


def pushes(discriminator: nn.Module, loss: AdversarialLoss, fake: Tensor, real: Tensor) -> Tensor:
    """Minus the gradient of G's loss by each fake alone, (N, 2). No gradient is left on the discriminator.

    Args:
        fake, real: (N, 2); the real ones count only where the loss compares them with the fakes.
    """
    with torch.enable_grad():
        moved = fake.detach().clone().requires_grad_(True)
        real_logits = discriminator(real).detach() if loss.needs_real else None
        total = loss.generator(discriminator(moved), real_logits) * len(moved)
        (slope,) = torch.autograd.grad(total, moved)
    return -slope


def code_lines(latent_dim: int) -> tuple[Tensor, Tensor]:
    """Two families of lines through the codes, each (LINES * BENDS, latent_dim): the first and the second number move.

    Between neighbours lies the same share of a normal distribution, so that a wide cell of the warped grid is a place
    with few generated points. Numbers after the second are 0; for a code of one number the second family is the first.
    """
    edges = torch.special.ndtri(torch.linspace(0.02, 0.98, LINES))
    fine = torch.linspace(edges[0].item(), edges[-1].item(), BENDS)
    across, along = torch.meshgrid(edges, fine, indexing="ij")
    first, second = torch.zeros(2, LINES * BENDS, latent_dim)
    first[:, 0] = along.flatten()
    second[:, 0] = across.flatten() if latent_dim > 1 else along.flatten()
    if latent_dim > 1:
        first[:, 1], second[:, 1] = across.flatten(), along.flatten()
    return first, second


class Look(NamedTuple):
    """One moment of a game, on the CPU.

    answers: (MAP_SIDE, MAP_SIDE) in [0, 1], row by row from the top; fake, push: (SHOWN, 2); first, second:
    (LINES, BENDS, 2), G on `code_lines`; modes: None where the data have none, else `centers` says how many there are;
    outside: fakes beyond the window.
    """

    answers: Tensor
    fake: Tensor
    push: Tensor
    first: Tensor
    second: Tensor
    modes: metrics.ModesCaptured | None
    centers: int
    outside: int


class Onlooker:
    """Looks at a game always from the same place: same window, same real points, same codes.

    Args:
        game: it is only read, and none of its random numbers are used.

    Attributes:
        real: (SHOWN, 2); centers: (modes, 2) or None; window: shows them all.
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        self.real, self.centers, self.std = look_at(game.data, SHOWN)
        self.window: Window = window_around(self.real, PIXELS)
        latent_dim = game.run.generator.latent_dim
        self._codes = torch.randn(JUDGED, latent_dim, generator=torch.Generator().manual_seed(game.seed))
        self._asked = torch.cat([self._codes, *code_lines(latent_dim)]).to(game.run.device)
        self._where = self.window.grid(MAP_SIDE).to(game.run.device)

    def look(self) -> Look:
        """What there is to see now.

        Raises:
            PlainError: the networks hold NaN or infinity; or D does not judge one point at a time.
        """
        run = self.game.run
        with eval_mode(run.generator), eval_mode(run.discriminator):
            with torch.no_grad():
                drawn = run.generator(self._asked).float()
                logits = run.discriminator(self._where).float()
            if logits.shape != self._where.shape[:1]:
                raise PlainError("The map shows what D says about single points, but this D judges several at once.")
            fake = drawn[:SHOWN]
            push = pushes(run.discriminator, run.loss, fake, self.real.to(fake.device))
        if not (drawn.isfinite().all() and logits.isfinite().all() and push.isfinite().all()):
            raise self.game.diverged()
        answers = scale_of(run.loss).read(logits).reshape(MAP_SIDE, MAP_SIDE).cpu()
        judged, first, second = drawn.cpu().split([JUDGED, LINES * BENDS, LINES * BENDS])
        modes = None if self.centers is None else metrics.modes_captured(judged, self.centers, self.std)
        centers = 0 if modes is None else len(self.centers)
        lines = (part.reshape(LINES, BENDS, 2) for part in (first, second))
        outside = int((~self.window.inside(judged[:SHOWN])).sum())
        return Look(answers, judged[:SHOWN], push.cpu(), *lines, modes, centers, outside)
