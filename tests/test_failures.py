"""Each failure fails and each cure cures, by its number: in the shipped results over 3 seeds, and shortened, live."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gan_course import failures, methods, training
from gan_course.failures import FAILURES

RESULT = Path(failures.__file__).parents[1] / "assets" / "results" / "failure_lab.json"
# Steps that are enough to decide, where the failure's own would be too many for a test.
SHORT = {
    "ring-collapse": 1_000,
    "grid-collapse": 1_500,
    "saturation": 5,
    "early-winner": 150,
    "overconfidence": 400,
    "exploding-gradients": 300,
    "bad-initialisation": 10,
    "dead-units": 100,
    "batch-statistics": 500,
    "far-rate": 400,
    "restless": 1_000,
}


@pytest.fixture(scope="module")
def shipped():
    return json.loads(RESULT.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FAILURES)
def test_over_three_seeds_the_broken_side_fails_and_the_cured_side_heals(shipped, name):
    failure = FAILURES[name]
    for side, verdict in (("broken", "failed"), ("cured", "cured")):
        rows = [row for row in shipped["rows"] if (row["failure"], row["side"]) == (name, side)]
        assert len({row["seed"] for row in rows}) >= 3
        for row in rows:
            value = math.nan if row[failure.number] is None else row[failure.number]
            assert failure.verdict({failure.number: value}) == verdict, row
            assert row["cpu_seconds"] < 30, "a pair takes less than a minute"


@pytest.mark.parametrize("name", FAILURES)
def test_the_shipped_numbers_belong_to_this_failure(shipped, name):
    failure, described = FAILURES[name], shipped["failures"][name]
    for key in ("title", "change", "steps", "number", "fails", "heals"):
        assert described[key] == getattr(failure, key), f"run benchmarks/failure_lab.py again: {key} has changed"
    assert described["differences"] == failure.differences()


@pytest.mark.parametrize("name", FAILURES)
def test_live_and_shortened(name):
    """The same number, after fewer steps: the cured side is better by at least half the way between the limits."""
    failure = FAILURES[name]
    sign = 1 if failure.heals > failure.fails else -1
    broken, cured = (failures.train(failure, side, seed=0, steps=SHORT[name]) for side in ("broken", "cured"))
    worse, better = (sign * outcome.numbers[failure.number] for outcome in (broken, cured))
    assert math.isnan(worse) or better - worse > abs(failure.heals - failure.fails) / 2, (broken[1:], cured[1:])
    assert broken.verdict != "cured" and cured.verdict != "failed", (broken[1:], cured[1:])


ONE_CHANGE = {
    "early-winner": ["penalty", "penalty_weight"],
    "exploding-gradients": ["penalty", "penalty_weight"],
    "bad-initialisation": ["generator", "discriminator"],
    "batch-statistics": ["d_step", "g_step"],
    "far-rate": ["g_learning_rate", "d_learning_rate"],
}


@pytest.mark.parametrize("name", FAILURES)
def test_the_two_sides_differ_in_one_change(name):
    failure = FAILURES[name]
    assert failure.name == name and failure.change and failure.why and failure.source
    assert failure.differences() == ONE_CHANGE.get(name, failure.differences()[:1]) != []


def test_verdicts_on_both_sides_of_the_limits():
    more = replace(FAILURES["ring-collapse"], number="x", fails=4, heals=8)
    less = replace(more, fails=30, heals=10)
    assert [more.verdict({"x": x}) for x in (0, 4, 5, 7.9, 8)] == ["failed"] * 2 + ["between"] * 2 + ["cured"]
    assert [less.verdict({"x": x}) for x in (99, 30, 29, 10.1, 10)] == ["failed"] * 2 + ["between"] * 2 + ["cured"]
    assert more.verdict({"x": math.nan}) == less.verdict({"x": math.nan}) == "failed"
    with pytest.raises(ValueError, match="'broken' and 'cured', not 'left'"):
        failures.train(more, "left")


def test_watched_gradients_are_those_that_the_step_went_down():
    failure = FAILURES["ring-collapse"]
    run = training.Run(failure.broken, failure.data, 0, "cpu")
    training.train(run, steps=1, log_every=1)
    for key, network in (("g_gradient", run.generator), ("d_gradient", run.discriminator)):
        norm = torch.cat([parameter.grad.flatten() for parameter in network.parameters()]).norm()
        assert run.history[0][key] == pytest.approx(norm.item(), rel=1e-5)


def test_every_cure_is_a_setting_of_a_recipe():
    assert len(failures.CURES) >= 9 and failures.CURES["nothing"] == {}
    for name, changes in failures.CURES.items():
        recipe = replace(FAILURES["ring-collapse"].broken, **changes)
        assert isinstance(recipe, methods.Recipe), name
        run = training.Run(recipe, FAILURES["ring-collapse"].data, 0, "cpu")
        training.train(run, steps=2, log_every=1)
        assert run.history[0]["g_gradient"] > 0, name
