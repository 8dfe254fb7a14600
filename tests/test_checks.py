"""Every exercise: the reference passes, other valid answers pass, and typical wrong ones get the right hint.

The answers are in tests/exercises/lessonNN.py, two tables a lesson: VALID is {exercise: [answer, ...]}, WRONG is
{exercise: [(answer, what the check must say as a regular expression), ...]}. NAMES, where a lesson has it, is what the
reference solution expects to find besides torch, nn, F and the package's modules.
"""

import importlib
import re
from pathlib import Path

import pytest
import torch

import gan_course
from gan_course import checks
from gan_course.checks import framework

LESSONS = Path(__file__).resolve().parent.parent / "lessons"
TABLES = {path.stem.removeprefix("lesson"): path for path in sorted(Path(__file__).parent.glob("exercises/lesson*.py"))}
PACKAGE = ("data", "device", "losses", "metrics", "networks", "penalties", "training")


def tables(lesson: str):
    """The module with the answers of a lesson, for example "00"."""
    return importlib.import_module(f"exercises.lesson{lesson}")


def reference(lesson: str, exercise: str):
    """The solution as it stands in the lesson's source; which name it binds is what the check is called with."""
    text = next(LESSONS.rglob(f"{lesson}_*.py")).read_text(encoding="utf-8")
    cell = re.search(rf'# %% exercise="{exercise}"\n(.*?)(?=\n# %%)', text, re.S).group(1)
    cell = re.sub(r"### STUB\n.*?(?=\n\s*### END)", "", cell, flags=re.S)
    answer = re.search(rf"^checks\.lesson{lesson}\.{exercise}\((\w+)\)", text, re.M).group(1)
    names = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional}
    names |= {name: importlib.import_module(f"{gan_course.__name__}.{name}") for name in PACKAGE}
    names |= getattr(tables(lesson), "NAMES", {})
    exec(cell, names)
    return names[answer]


def outcome(lesson: str, name: str, answer):
    return getattr(getattr(checks, f"lesson{lesson}"), name).outcome(answer)


def exercises(table: str):
    return [(lesson, name) for lesson in TABLES for name in getattr(tables(lesson), table)]


@pytest.mark.parametrize(("lesson", "name"), exercises("VALID"))
def test_the_reference_and_other_valid_answers_pass(lesson, name):
    for answer in [reference(lesson, name), *tables(lesson).VALID[name]]:
        result = outcome(lesson, name, answer)
        assert result.status == "passed", result


@pytest.mark.parametrize(
    ("lesson", "name", "number"),
    [(lesson, name, i) for lesson, name in exercises("WRONG") for i in range(len(tables(lesson).WRONG[name]))],
)
def test_wrong_answers_are_named(lesson, name, number):
    answer, problem = tables(lesson).WRONG[name][number]
    result = outcome(lesson, name, answer)
    assert result.status == "not yet" and re.search(problem, f"{result.problem} {result.hint}"), result


def test_every_exercise_of_a_lesson_is_tested_here():
    for path in LESSONS.rglob("[0-9][0-9]_*.py"):
        names = re.findall(r'exercise="(\w+)"', path.read_text(encoding="utf-8"))
        answers = tables(path.name[:2])
        assert names and set(names) == set(answers.VALID) == set(answers.WRONG), path.name
        assert all(len(answers.VALID[name]) >= 2 and len(answers.WRONG[name]) >= 4 for name in names)


def not_done():
    raise NotImplementedError


@pytest.mark.parametrize("answer", [None, ..., lambda *_: not_done()])
def test_an_untouched_exercise_is_not_attempted(answer, capsys):
    assert outcome("00", "walk", answer).status == "not attempted"
    checks.lesson00.walk(answer)
    assert "not attempted" in capsys.readouterr().out


def test_a_check_prints_and_raises_only_when_strict(capsys, monkeypatch):
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    checks.lesson00.how_many_numbers(10)
    out = capsys.readouterr().out
    assert "not yet" in out and "Hint: It takes more" in out
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


@pytest.mark.parametrize("name", tables("10").VALID)
def test_a_check_leaves_the_random_numbers_of_a_gpu_alone(name, monkeypatch):
    """Since only those of the CPU are put back."""
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: pytest.fail("it would seed every GPU"))
    assert outcome("10", name, reference("10", name)).status == "passed"


def test_an_error_in_the_answer_is_told_and_not_thrown():
    result = outcome("00", "to_minus_one_one", lambda p: p.undefined_method())
    assert result.status == "not yet" and "raised AttributeError" in result.problem
    assert "expects a function" in outcome("00", "walk", 7).problem


def test_a_bug_in_a_check_is_not_blamed_on_the_learner():
    @framework.check
    def buggy(answer):
        raise KeyError("the author's mistake")

    with pytest.raises(KeyError):
        buggy.outcome(1)
