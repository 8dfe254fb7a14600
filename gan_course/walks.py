"""Walks between two codes."""

from __future__ import annotations

import torch


def slerp(start: torch.Tensor, end: torch.Tensor, amount: float | torch.Tensor) -> torch.Tensor:
    """Walk from `start` to `end` along the sphere, so that codes in between are as long as real ones.

    A straight line between two Gaussian codes passes through the middle, where the generator has seen
    next to nothing. Codes in line with the origin have no one arc between them; there the line is taken.

    Args:
        start, end: codes (..., D).
        amount: 0 gives exactly `start`, 1 exactly `end`; a number, or a tensor that broadcasts with (...).

    Returns:
        Codes (..., D); for codes of equal norm, of the same norm.
    """
    amount = torch.as_tensor(amount, dtype=start.dtype, device=start.device).unsqueeze(-1)
    norms = start.norm(dim=-1, keepdim=True) * end.norm(dim=-1, keepdim=True)
    cosine = (start * end).sum(dim=-1, keepdim=True) / norms.clamp_min(torch.finfo(start.dtype).tiny)
    angle = torch.acos(cosine.clamp(-1, 1))
    sine = torch.sin(angle)
    arc = torch.sin((1 - amount) * angle) / sine * start + torch.sin(amount * angle) / sine * end
    line = (1 - amount) * start + amount * end
    return torch.where((sine > 1e-3) & (norms > 0), arc, line)
