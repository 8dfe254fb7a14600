"""How far groups that were found without labels agree with the true classes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Purity(NamedTuple):
    """matched: share of samples whose code is matched to their class, each code with a class of its own;
    majority: the same when each code may take the class it holds most of, so never less;
    matching: the class of each code (codes,), -1 for a code left over; table: how often a code met a class
    (codes, classes).
    """

    matched: float
    majority: float
    matching: Tensor
    table: Tensor


def purity(codes: Tensor, labels: Tensor, n_codes: int = 10, n_classes: int = 10) -> Purity:
    """Match codes with classes, one to one, so that as many samples as possible agree.

    Nobody told a code which class it is to be, so its number means nothing; this finds the kindest naming. With as many
    codes as classes, codes drawn at random reach a little over 1 / n_classes, not 0.

    Args:
        codes: int64 (N,), the category of each sample, 0 to n_codes - 1.
        labels: int64 (N,), its true class, 0 to n_classes - 1.

    Raises:
        ValueError: no samples, two lengths, or a number out of range.

    Source: Kuhn (1955), the Hungarian method, for the matching; scipy solves it by a faster relative. `matched` is also
    known as clustering accuracy.
    """
    from scipy.optimize import linear_sum_assignment

    codes, labels = codes.cpu().long(), labels.cpu().long()
    if codes.shape != labels.shape or codes.ndim != 1 or len(codes) == 0:
        raise ValueError(
            f"Codes and labels must be two lists of one length, but are {tuple(codes.shape)} and {tuple(labels.shape)}."
        )
    for what, values, count in (("codes", codes, n_codes), ("labels", labels, n_classes)):
        if values.min() < 0 or values.max() >= count:
            raise ValueError(
                f"The {what} must lie in 0..{count - 1}, but reach from {int(values.min())} to {int(values.max())}."
            )
    table = torch.bincount(codes * n_classes + labels, minlength=n_codes * n_classes).reshape(n_codes, n_classes)
    rows, columns = (torch.from_numpy(part) for part in linear_sum_assignment(table.numpy(), maximize=True))
    matching = torch.full((n_codes,), -1)
    matching[rows] = columns
    n = len(codes)
    return Purity(table[rows, columns].sum().item() / n, table.amax(1).sum().item() / n, matching, table)
