"""The kernel distance: an unbiased estimate of a squared maximum mean discrepancy."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_course.metrics.inputs import check_features

BLOCK = 2048
SYMMETRIC_BLOCK = 256  # smaller, as only the blocks on and above the diagonal are computed


def kernel_distance(
    real: Tensor, fake: Tensor, subsets: int | None = None, subset_size: int = 1000, seed: int = 0
) -> float | tuple[float, float]:
    """Squared MMD with the kernel (x . y / D + 1)^3; unbiased, so it may fall a little below 0.

    Args:
        real, fake: (N, D) and (M, D), at least two rows each.
        subsets: None for one number over all samples; a number for the mean and standard deviation over that many
            random subsets of `subset_size` rows (without replacement inside a subset).

    Returns:
        A float, or (mean, std). Of Inception features this is called KID, of others it is not.

    Raises:
        ValueError: see inputs.check_features; or a subset is larger than a set, or smaller than 2, or there is none.

    Source: Binkowski et al. (2018), section 4; equation 4 for the estimator.
    """
    real, fake = check_features(real, fake)
    if subsets is None:
        return _unbiased_mmd(real, fake)
    if subsets < 1 or subset_size < 2:
        raise ValueError(f"{subsets} subsets of {subset_size} rows give no distance; take at least 1 of 2.")
    if subset_size > min(len(real), len(fake)):
        raise ValueError(
            f"Subsets of {subset_size} need as many samples, but there are {len(real)} real and {len(fake)} fake "
            "ones; pass a smaller subset_size."
        )
    rng = torch.Generator().manual_seed(seed)
    values = []
    for _ in range(subsets):
        rows = [torch.randperm(len(x), generator=rng)[:subset_size].to(x.device) for x in (real, fake)]
        values.append(_unbiased_mmd(real[rows[0]], fake[rows[1]]))
    spread = torch.tensor(values, dtype=torch.float64)
    return spread.mean().item(), spread.std(correction=0).item()


def _unbiased_mmd(x: Tensor, y: Tensor) -> float:
    between = sum(_kernel(part, y).sum() for part in x.split(BLOCK)) / (len(x) * len(y))
    return float(_mean_within(x) + _mean_within(y) - 2 * between)


def _mean_within(x: Tensor) -> Tensor:
    """The mean of the kernel over all pairs of different rows, from the blocks on and above the diagonal."""
    above = x.new_zeros(())
    for start in range(0, len(x), SYMMETRIC_BLOCK):
        stop = start + SYMMETRIC_BLOCK
        rows = x[start:stop]
        above += _kernel(rows, rows).triu(1).sum()
        above += sum(_kernel(rows, part).sum() for part in x[stop:].split(8 * BLOCK))
    return 2 * above / (len(x) * (len(x) - 1))


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    """The cubic kernel of all pairs (N, M)."""
    return (x @ y.T).div_(x.shape[1]).add_(1).pow_(3)
