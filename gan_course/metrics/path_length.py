"""How far the image moves for a small step between two codes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_course.metrics.features import FeatureExtractor
from gan_course.networks import class_shares
from gan_course.training.sampling import checked_labels
from gan_course.walks import slerp


class PathLength(NamedTuple):
    """mean: over all steps; error: its standard error; lengths: of each step, float64 (N,)."""

    mean: float
    error: float
    lengths: Tensor


@torch.inference_mode()
def path_length(
    generator: nn.Module | Callable[[Tensor], Tensor],
    features: FeatureExtractor | nn.Module | Callable[[Tensor], Tensor],
    n: int = 1000,
    latent_dim: int | None = None,
    epsilon: float = 1e-4,
    seed: int = 0,
    batch_size: int = 250,
    labels: Tensor | int | None = None,
) -> PathLength:
    """||f(G(slerp(a, b; t + epsilon))) - f(G(slerp(a, b; t)))||^2 / epsilon^2, with codes a, b and t at random.

    The images stay float: rounded to 8 bits nearly all of them would not move at all, and some by a whole grey level.
    For the same reason modules are copied and run in float64.

    Args:
        generator: codes (N, latent_dim), and labels if any are given, to images (N, C, H, W).
        features: images to (N, D); a module runs where the generator does. "PPL" is said only of LPIPS; of other
            features say "path length".
        latent_dim: default: the generator's own.
        epsilon: the step, as a share of the walk from a to b.
        seed: of codes and t, which are drawn on the CPU.
        labels: for a generator that is told a class: one for all, or int64 (n,); None draws them.

    Raises:
        ValueError: a latent_dim that is not known, n below 2, NaN; or labels that training.sample would not take.

    Source: Karras, Laine and Aila (2019), section 4.1: of codes z, at any t between 0 and 1, with epsilon 1e-4. They
    leave out the longest and the shortest percent in their code; here all steps count.
    """
    latent_dim = latent_dim or getattr(generator, "latent_dim", None)
    if latent_dim is None or n < 2:
        raise ValueError(f"latent_dim ({latent_dim}) must be given where the generator has none, and n ({n}) above 1.")
    place = next((p.device for p in generator.parameters()), None) if isinstance(generator, nn.Module) else None
    real_numbers = torch.float32 if str(place).startswith("mps") else torch.float64
    draw, see = (_in_double(function, place, real_numbers) for function in (generator, features))
    rng = torch.Generator().manual_seed(seed)
    start, end = torch.randn(2, n, latent_dim, generator=rng, dtype=torch.float64)
    at = torch.rand(n, generator=rng, dtype=torch.float64)
    told = []
    if hasattr(generator, "classes"):
        told = [checked_labels(labels, n, generator.classes, rng)]
    elif labels is not None:
        raise ValueError("This generator knows no classes, so it cannot be told a label.")
    lengths = []
    for a, b, t, *label in zip(*(part.split(batch_size) for part in (start, end, at, *told)), strict=True):
        label = [class_shares(part, generator.classes).to(place, real_numbers) for part in label]
        here, there = (see(draw(slerp(a, b, t + step).to(place, real_numbers), *label)) for step in (0.0, epsilon))
        lengths.append((there.double() - here.double()).flatten(1).square().sum(1).cpu() / epsilon**2)
    lengths = torch.cat(lengths)
    if not lengths.isfinite().all():
        raise ValueError(
            f"The features hold NaN or infinity, first for step {int((~lengths.isfinite()).nonzero()[0])}."
        )
    return PathLength(float(lengths.mean()), float(lengths.std() / n**0.5), lengths)


def _in_double(
    function: FeatureExtractor | nn.Module | Callable, place: torch.device | None, real_numbers: torch.dtype
) -> Callable:
    """A copy of a module in evaluation mode and in float64, at a place, or where it is; of an extractor, its features.

    Any other function is left as it is.
    """
    if isinstance(function, FeatureExtractor):
        return copy.deepcopy(function.network).to(place, real_numbers).eval().features
    if isinstance(function, nn.Module):
        return copy.deepcopy(function).to(place, real_numbers).eval()
    return function
