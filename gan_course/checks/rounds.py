"""Rounds of the game played by an answer, beside what other rounds would have made of the same networks."""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F

from gan_course import networks
from gan_course.checks.framework import attempt

RATE = 0.1  # of the plain gradient descent that answers are compared with


class Game:
    """Rounds of an answer, with k turns of D in each, and what other rounds would have made of the networks."""

    def __init__(self, function: Any, k: int, rounds: int):
        torch.default_generator.manual_seed(k)
        self.start = {"g": networks.PointGenerator(2, 2, (8,)), "d": networks.PointDiscriminator(2, (8,))}
        self.moved = copy.deepcopy(self.start)
        self.reals, self.codes = torch.randn(rounds, k, 16, 2) + 2, torch.randn(rounds, k, 16, 2)
        optimizers = {player: torch.optim.SGD(self.moved[player].parameters(), RATE) for player in ("g", "d")}
        self.steps, self.leaked, self._left = {"g": 0, "d": 0}, False, None
        for player, optimizer in optimizers.items():
            optimizer.register_step_pre_hook(lambda *_, player=player: self._before_step(player))
        for real, z in zip(self.reals, self.codes, strict=True):
            parts = self.moved["g"], self.moved["d"], optimizers["g"], optimizers["d"]
            self.returned = attempt(function, *parts, real.clone(), z.clone())
        self.losses = _play(copy.deepcopy(self.start), self.reals, self.codes)["losses"]

    def _before_step(self, player: str) -> None:
        """Count the step; at one of D's, see whether G has a gradient that its own last turn has not left."""
        self.steps[player] += 1
        gradients = [parameter.grad for parameter in self.moved["g"].parameters()]
        if player == "g":
            self._left = [None if gradient is None else gradient.clone() for gradient in gradients]
            return
        left = self._left or [None] * len(gradients)
        for gradient, before in zip(gradients, left, strict=True):
            touched = gradient is not None and gradient.any()
            self.leaked |= bool(touched and (before is None or not torch.equal(gradient, before)))

    def played(self, player: str, **options: Any) -> bool:
        """Whether the player stands where rounds with these options lead."""
        there = _play(copy.deepcopy(self.start), self.reals, self.codes, **options)[player]
        pairs = zip(self.moved[player].parameters(), there.parameters(), strict=True)
        return all(torch.allclose(a, b, atol=1e-6) for a, b in pairs)


def _play(nets, reals, codes, fakes=1, sign=1, minimax=False, g_turns=1, d_turns=None, keep=False, rate=RATE) -> dict:
    """Rounds by plain gradient descent, with their last losses; the options are the mistakes that the check knows."""
    g, d, last = nets["g"], nets["d"], {}
    g_optimizer, d_optimizer = torch.optim.SGD(g.parameters(), rate), torch.optim.SGD(d.parameters(), rate)
    for real_turns, z_turns in zip(reals, codes, strict=True):
        turns = d_turns or len(real_turns)
        for i in range(len(real_turns)):
            if i < turns:
                loss = F.softplus(-d(real_turns[i])).mean() + fakes * F.softplus(d(g(z_turns[i]).detach())).mean()
                last["d"] = loss.item()
                if not keep:
                    d_optimizer.zero_grad()
                loss.backward()
                d_optimizer.step()
            if i >= len(real_turns) - g_turns:
                logits = d(g(z_turns[i]))
                loss = -F.softplus(logits).mean() if minimax else F.softplus(-sign * logits).mean()
                last["g"] = loss.item()
                g_optimizer.zero_grad()
                loss.backward()
                g_optimizer.step()
    return nets | {"losses": (last.get("d", 0.0), last.get("g", 0.0))}
