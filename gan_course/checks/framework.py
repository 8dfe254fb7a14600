"""How a check speaks. A check is a function that is given the learner's answer and calls `expect`.

    @check
    def to_unit_range(answer):
        "Pixels from 0..255 to [-1, 1]."
        result = attempt(answer, torch.tensor([0, 255]))
        expect(result.min() >= -1, "0 became less than -1.", hint="Which number should 0 become?")

It prints one of: passed; not yet, with the misconception and one hint; not attempted. It never raises while learning,
so that Run All reaches the end of an untouched notebook; with COURSE_STRICT=1 it raises an AssertionError.
"""

from __future__ import annotations

import functools
import os
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import torch


class Outcome(NamedTuple):
    """status: "passed", "not yet" or "not attempted"; what was wrong; and a hint."""

    status: str
    problem: str = ""
    hint: str = ""

    def __str__(self) -> str:
        if self.status == "passed":
            return "✓ passed"
        if self.status == "not attempted":
            return "– not attempted yet. Write your answer in the cell above, run it, then run this cell again."
        hint = f"\n  Hint: {self.hint}" if self.hint else ""
        return f"✗ not yet: {self.problem}{hint}"


class NotYet(Exception):
    """The answer is wrong in a way that the check recognised."""

    def __init__(self, problem: str, hint: str = ""):
        super().__init__(problem)
        self.problem, self.hint = problem, hint


class NotAttempted(Exception):
    """There is no answer yet."""


def check(function: Callable[[Any], None]) -> Callable[[Any], None]:
    """Make a check out of a function that calls `attempt` and `expect`. `check.outcome(answer)` returns the Outcome."""

    def outcome(answer: Any) -> Outcome:
        if answer is None or answer is Ellipsis:
            return Outcome("not attempted")
        try:
            # A check must not disturb the random numbers of the lesson around it.
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(0)  # the CPU's alone: torch.manual_seed would reset every GPU, too
                function(answer)
        except (NotAttempted, NotImplementedError):
            return Outcome("not attempted")
        except NotYet as error:
            return Outcome("not yet", error.problem, error.hint)
        return Outcome("passed")

    @functools.wraps(function)
    def wrapper(answer: Any) -> None:
        result = outcome(answer)
        if os.environ.get("COURSE_STRICT") == "1" and result.status != "passed":
            raise AssertionError(f"{function.__module__}.{function.__name__}: {result}")
        print(result)

    wrapper.outcome = outcome
    return wrapper


def attempt(function: Callable, *arguments: Any) -> Any:
    """Call the learner's function; an error in it, or an answer of None, becomes a message instead of a traceback."""
    if not callable(function):
        raise NotYet(
            f"the check expects a function, but was given {_kind(function)}.",
            "Pass the function itself, without parentheses.",
        )
    try:
        result = function(*arguments)
    except NotImplementedError:
        raise NotAttempted from None
    except Exception as error:
        hint = "It was called with {}. Run it by hand with the like of it in a new cell, and look at the shapes."
        if "does not require grad" in str(error):
            hint = "Something cuts the gradient off: a detach, no_grad, .item() or requires_grad_(False) too many."
        if "backward through the graph a second time" in str(error) or "inplace operation" in str(error):
            hint = "One graph is used by two backward passes. In D's part, detach the fake from G."
        raise NotYet(
            f"your function raised {type(error).__name__}: {str(error).removesuffix('.')}{_line_of(error)}.",
            hint.format(", ".join(map(_described, arguments)) or "nothing"),
        ) from None
    if result is None or result is Ellipsis:
        raise NotYet("your function returned nothing.", "Does its last line say `return`?")
    return result


def expect(condition: Any, problem: str, hint: str = "") -> None:
    """Stop the check with `problem` and `hint` unless the condition holds."""
    if not condition:
        raise NotYet(problem, hint)


def expect_number(value: Any, what: str, hint: str) -> float:
    """Whatever float() takes, but no truth value and no text; else the check stops with "`what` should be a number"."""
    shape = tuple(getattr(value, "shape", ()))
    problem = f"{what} should be a number, but is {f'of shape {shape}' if shape else repr(value)}."
    expect("bool" not in str(getattr(value, "dtype", type(value))), problem, hint)
    expect(not isinstance(value, str | bytes | bytearray), problem, hint)
    try:
        return float(value)
    except Exception:
        raise NotYet(problem, hint) from None


def gradient_of(value: torch.Tensor, place: torch.Tensor) -> torch.Tensor | None:
    """The gradient of a scalar with respect to `place`, or None where there is no way. The graph is kept."""
    if not value.requires_grad:
        return None
    return torch.autograd.grad(value, place, retain_graph=True, allow_unused=True)[0]


NOT_FINITE = (
    "Look for a division by 0, a logarithm or root of a number that is not positive, or an exp of a large number."
)


def expect_tensor(value: Any, shape: tuple[int, ...], what: str = "the result", not_finite: str = NOT_FINITE) -> None:
    """Stop the check unless `value` is a tensor of this shape without NaN or infinity, for which the hint is given."""
    expect(
        isinstance(value, torch.Tensor),
        f"{what} should be a tensor, but is {_kind(value)}.",
        "Keep the computation in torch; no .item(), no numpy.",
    )
    expect(
        tuple(value.shape) == shape,
        f"{what} should have the shape {shape}, but has {tuple(value.shape)}.",
        "Print the shape after each line of your function.",
    )
    finite = value.isfinite().all() if value.is_floating_point() else True
    expect(
        finite,
        f"there is NaN or infinity in {what}.",
        not_finite,
    )


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"


def _described(value: Any) -> str:
    """An argument in a few words: a tensor by its shape, a short value by itself."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return repr(value) if isinstance(value, int | float | str | bool) else _kind(value)


def _line_of(error: Exception) -> str:
    """Where in the learner's cell the error arose."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "gan_course" not in f.filename]
    frames = [f for f in frames if "ipykernel" in f.filename or "<ipython" in f.filename or "<string" in f.filename]
    return f" (line {frames[-1].lineno} of your cell)" if frames else ""
