"""What checks of a formula share: one finite number, and the mistake that gives just the number which was returned."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from gan_course.checks.framework import attempt, expect, expect_number


def number(function: Any, *arguments: Any) -> float:
    """What the learner's function returns, which must be one finite number."""
    value = expect_number(attempt(function, *arguments), "the result", "return one number, for example x.item()")
    expect(math.isfinite(value), "the result is not a finite number.", "Look for a division by 0, or log(0).")
    return value


def name_mistakes(found: float, wanted: float, mistakes: Iterable[tuple[float, str, str]]) -> None:
    """Stop with the mistake (its value, problem, hint) that `found` is; one that is right by chance says nothing."""
    for value, problem, hint in mistakes:
        told_apart = abs(value - wanted) > 4e-5 * max(1, abs(wanted))
        expect(not (told_apart and abs(found - value) < 1e-5 * max(1, abs(value))), problem, hint)
