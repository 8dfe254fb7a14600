"""Every exercise: the reference passes, other valid answers pass, and typical wrong ones get the right hint."""

import re
from pathlib import Path

import pytest
import torch

from gan_course import checks
from gan_course.checks import framework

LESSONS = Path(__file__).resolve().parent.parent / "lessons"


def reference(lesson: str, exercise: str):
    """The solution as it stands in the lesson's source."""
    text = next(LESSONS.glob(f"{lesson}_*.py")).read_text(encoding="utf-8")
    cell = re.search(rf'# %% exercise="{exercise}"\n(.*?)(?=\n# %%)', text, re.S).group(1)
    cell = re.sub(r"### STUB\n.*?(?=\n\s*### END)", "", cell, flags=re.S)
    names = {"torch": torch}
    exec(cell, names)
    return names["guess"] if exercise == "how_many_numbers" else names[exercise]


def straight_or_swapped(swap):
    def walk(start, end, steps):
        a, b = (end, start) if swap else (start, end)
        return torch.stack([a + (b - a) * i / (steps - 1) for i in range(steps)])

    return walk


def spherical(start, end, steps):
    from gan_course.widgets import slerp

    return slerp(start, end, torch.linspace(0, 1, steps))


VALID = {
    "how_many_numbers": [100, 100.0],
    "to_minus_one_one": [
        lambda p: p.double().div(255).sub(0.5).mul(2),
        lambda p: torch.lerp(torch.tensor(-1.0), torch.tensor(1.0), p.to(torch.float32) / 255),
        lambda p: p.float() * (2 / 255) - 1,
    ],
    "walk": [straight_or_swapped(False), spherical],
}

# exercise: (wrong answer, what the check must say)
WRONG = {
    "how_many_numbers": [
        (784, "what the generator puts out"),
        (10, "never told about classes"),
        (28, "it is not 28"),
        ("a hundred", "should be a number"),
    ],
    "to_minus_one_one": [
        (lambda p: p.float() / 255, r"in \[0, 1\]; a tanh generator"),
        (lambda p: p.float() * 2 - 1, "reaches from -1 to 509"),
        (lambda p: (p.float() - p.min()) / (p.max() - p.min()) * 2 - 1, "dim image was stretched"),
        (lambda p: p / 127 - 1, r"reaches from -1 to 1\.008"),
        (lambda p: (p.float() - 128) / 128, "51 became -0.602"),
        (lambda p: p * 2 - 255, r"is torch\.uint8|whole numbers"),
        (lambda p: 1 - p.float() / 127.5, "swapped"),
        (lambda p: p.float() / 127.5 - 1 if p.ndim > 9 else None, "returned nothing"),
        (lambda p: (p.float() / 127.5 - 1).flatten(), r"shape \(2, 3\), but has \(6,\)"),
        (lambda p: (p.float() / 127.5 - 1).numpy(), "should be a tensor"),
        (lambda p: torch.tanh(p.float() / 127.5 - 1) / 0.7616, "straight line"),
    ],
    "walk": [
        (straight_or_swapped(True), "backwards"),
        (lambda a, b, n: a + (b - a) * (torch.arange(n)[:, None] / n), "last code is not the end"),
        (lambda a, b, n: torch.stack([a + (b - a) * i / n for i in range(n + 1)]), "6 codes; 5 were asked"),
        (lambda a, b, n: a[:, None] + (b - a)[:, None] * torch.linspace(0, 1, n), r"columns: the shape is \(3, 5\)"),
        (lambda a, b, n: torch.stack([a] * (n - 1) + [b]), "stands still or jumps"),
        (lambda a, b, n: (a + b) / 2, r"shape \(5, 3\), but has \(3,\)"),
        (lambda a, b, n: a + b * torch.linspace(0, 1, n)[:, None], "last code is not the end"),
        (lambda a, b, n: torch.linspace(0, 1, n) * b, "RuntimeError|raised"),
    ],
}


def outcome(name, answer):
    return getattr(checks.lesson00, name).outcome(answer)


@pytest.mark.parametrize("name", VALID)
def test_the_reference_and_other_valid_answers_pass(name):
    for answer in [reference("00", name), *VALID[name]]:
        assert outcome(name, answer).status == "passed", outcome(name, answer)


@pytest.mark.parametrize(("name", "number"), [(name, i) for name in WRONG for i in range(len(WRONG[name]))])
def test_wrong_answers_are_named(name, number):
    answer, problem = WRONG[name][number]
    result = outcome(name, answer)
    assert result.status == "not yet" and re.search(problem, result.problem), result


def test_every_exercise_of_a_lesson_is_tested_here():
    for path in LESSONS.glob("*.py"):
        names = re.findall(r'exercise="(\w+)"', path.read_text(encoding="utf-8"))
        assert set(names) <= set(VALID) & set(WRONG), path.name
        assert all(len(VALID[name]) >= 2 and len(WRONG[name]) >= 4 for name in names)


def not_done():
    raise NotImplementedError


@pytest.mark.parametrize("answer", [None, ..., lambda *_: not_done()])
def test_an_untouched_exercise_is_not_attempted(answer, capsys):
    assert outcome("walk", answer).status == "not attempted"
    checks.lesson00.walk(answer)
    assert "not attempted" in capsys.readouterr().out


def test_a_check_prints_and_raises_only_when_strict(capsys, monkeypatch):
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    checks.lesson00.how_many_numbers(10)
    out = capsys.readouterr().out
    assert "not yet" in out and "Hint: Print" in out
    checks.lesson00.how_many_numbers(100)
    assert "passed" in capsys.readouterr().out
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(AssertionError, match="how_many_numbers: ✗ not yet"):
        checks.lesson00.how_many_numbers(10)
    with pytest.raises(AssertionError, match="not attempted"):
        checks.lesson00.how_many_numbers(None)


def test_a_check_leaves_random_numbers_alone():
    @framework.check
    def draws(answer):
        torch.randn(5)

    torch.manual_seed(7)
    expected = torch.randn(3)
    torch.manual_seed(7)
    draws(1)
    assert torch.equal(torch.randn(3), expected)


def test_an_error_in_the_answer_is_told_and_not_thrown():
    result = outcome("to_minus_one_one", lambda p: p.undefined_method())
    assert result.status == "not yet" and "raised AttributeError" in result.problem
    assert "expects a function" in outcome("walk", 7).problem


def test_a_bug_in_a_check_is_not_blamed_on_the_learner():
    @framework.check
    def buggy(answer):
        raise KeyError("the author's mistake")

    with pytest.raises(KeyError):
        buggy.outcome(1)
