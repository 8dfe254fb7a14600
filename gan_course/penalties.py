"""Gradient penalties, per sample, and the clipping of weights. The weight (lambda, gamma / 2) belongs to the recipe."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    rng: torch.Generator | None = None,
    u: Tensor | None = None,
) -> Tensor:
    """mean of (||grad critic(x)||_2 - 1)^2 at random points x between real and fake samples.

    One uniform number a sample places x on the line from its fake to its real. The norm is of each sample's own
    gradient, flattened: a norm over the whole batch, or over the channels only, is another (wrong) number.

    Args:
        critic: samples (N, ...) to logits, without BatchNorm: a sample's gradient must not depend on the others.
        real, fake: (N, ...), the same shape.
        rng: source of the interpolation numbers, on the samples' device.
        u: the interpolation numbers (N,) themselves, in place of rng's.

    Source: Gulrajani et al. (2017), equation 3.
    """
    if u is None:
        u = torch.rand(len(real), generator=rng, device=real.device, dtype=real.dtype)
    u = u.reshape(-1, *(1,) * (real.ndim - 1))  # (N, 1, 1, 1): one number for all pixels of an image
    between = (u * real + (1 - u) * fake).detach().requires_grad_(True)
    squared_norms = _squared_gradient_norms(critic(between), between)
    # sqrt has an infinite slope at 0; a tiny floor keeps a flat critic's gradient finite.
    return (squared_norms.clamp_min(1e-24).sqrt() - 1).square().mean()


def r1(logits: Tensor, real: Tensor) -> Tensor:
    """mean of ||grad_x l(x)||^2 at real samples. `real` must require gradients before logits are computed from it.

    Source: Mescheder, Geiger, Nowozin (2018), equation 9, without its weight gamma / 2.
    """
    return _squared_gradient_norms(logits, real).mean()


def r2(logits: Tensor, fake: Tensor) -> Tensor:
    """mean of ||grad_x l(x)||^2 at fake samples, as r1 at real ones (equation 10)."""
    return _squared_gradient_norms(logits, fake).mean()


@torch.no_grad()
def clip_weights(network: nn.Module, bound: float) -> None:
    """Bring every parameter of a network into [-bound, bound], in place.

    Raises:
        ValueError: the bound is not positive.

    Source: Arjovsky, Chintala, Bottou (2017), Algorithm 1, line 7.
    """
    if bound <= 0:
        raise ValueError(f"Weights are clipped to [-bound, bound], so the bound must be positive, not {bound}.")
    parameters = list(network.parameters())
    torch._foreach_clamp_min_(parameters, -bound)
    torch._foreach_clamp_max_(parameters, bound)


def _squared_gradient_norms(logits: Tensor, samples: Tensor) -> Tensor:
    """(N,) squared norms of each sample's gradient, differentiable once more."""
    if not samples.requires_grad:
        raise ValueError(
            "A gradient penalty needs samples with requires_grad=True, set before the logits are computed from them."
        )
    (gradient,) = torch.autograd.grad(logits.sum(), samples, create_graph=True)
    return gradient.flatten(1).square().sum(1)
