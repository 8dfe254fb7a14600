"""The shipped table of modes: the bar that the best method takes, on every seed, within its budget."""

import json
from pathlib import Path

import pytest

from gan_course import methods

RESULT = Path(methods.__file__).parent / "assets" / "results" / "toy_modes.json"
BEST = "points-fast, rejection"
METHODS = ("GAN", "PacGAN2", "PacGAN4", "points-fast", BEST)


@pytest.fixture(scope="module")
def table():
    return json.loads(RESULT.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("data", "modes", "high_quality"), [("ring", 8, 0.97), ("grid", 25, 0.93)])
def test_the_best_method_takes_the_bar_on_each_seed(table, data, modes, high_quality):
    rows = [row for row in table["rows"] if (row["method"], row["data"]) == (BEST, data)]
    assert {row["seed"] for row in rows} >= {0, 1, 2}
    for row in rows:
        assert row["modes"] == modes and row["high_quality"] >= high_quality and row["kl"] < 0.01, row


def test_every_method_has_three_seeds_on_one_core_and_the_best_had_two_minutes_at_most(table):
    """All made about as many steps, so that none is behind for want of time."""
    for method in METHODS:
        for data in ("ring", "grid"):
            rows = [row for row in table["rows"] if (row["method"], row["data"]) == (method, data)]
            assert {row["seed"] for row in rows} >= {0, 1, 2}, (method, data)
            assert all(row["steps"] >= 50_000 for row in rows), (method, data)
            assert method not in (BEST, "points-fast") or all(row["cpu_seconds"] <= 120 for row in rows), data
    assert table["threads"] == 1 and table["samples"] == 2_500


def test_the_table_was_made_with_the_recipe_that_ships(table):
    ours = json.loads(json.dumps(methods.RECIPES["points-fast"].settings()))
    assert table["settings"]["points-fast"] == ours, "run benchmarks/toy_modes.py again"


def test_the_summary_is_that_of_the_rows(table):
    for line in table["summary"]:
        rows = [row for row in table["rows"] if (row["method"], row["data"]) == (line["method"], line["data"])]
        assert line["seeds"] == len(rows)
        for key in ("modes", "high_quality", "kl"):
            assert line[key]["mean"] == pytest.approx(sum(row[key] for row in rows) / len(rows), abs=1e-4)
