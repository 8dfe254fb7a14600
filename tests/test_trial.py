"""The trial of the metrics: who is called worse or better, and how the table and the exhibits are drawn."""

from __future__ import annotations

import json
import math

import pytest
import torch

from gan_course import methods, trial


def interval(low: float, high: float) -> dict[str, float]:
    return {"mean": (low + high) / 2, "low": low, "high": high}


def row(name: str, **metrics) -> dict:
    return {"row": name, "metrics": metrics}


HONEST = row("honest", closer_than_held_out=interval(0.4, 0.6), frechet_distance=interval(1, 2), recall=interval(8, 9))
ROWS = [
    HONEST,
    row("high", frechet_distance=interval(3, 1234), recall=interval(10, 11), closer_than_held_out=interval(0.7, 0.9)),
    row("low", frechet_distance=interval(0, 0.5), recall=interval(1, 2), closer_than_held_out=interval(0.1, 0.2)),
    row("touching", frechet_distance=interval(2, 3), recall=interval(7, 8), closer_than_held_out=interval(0.5, 0.7)),
]


def test_intervals_that_do_not_meet_are_noticed_in_the_right_direction():
    names, table = trial.verdicts(ROWS)
    assert names == ["frechet_distance", "recall", "closer_than_held_out"]  # in the order of METRICS
    assert table == [
        [trial.SAME, trial.SAME, trial.SAME],
        [trial.WORSE, trial.BETTER, trial.WORSE],
        [trial.BETTER, trial.WORSE, trial.SAME],  # farther from the training set than honest ones: no copies
        [trial.SAME, trial.SAME, trial.SAME],
    ]


def test_somebody_must_be_honest():
    with pytest.raises(ValueError, match="honest"):
        trial.verdicts(ROWS[1:])


@pytest.mark.parametrize("mean", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("higher_is_better", [True, False, None])
def test_what_is_no_number_is_worse_than_any(mean, higher_is_better):
    value = {"mean": mean, "low": mean, "high": mean}
    assert trial.verdict(value, interval(0, 1), higher_is_better) == trial.WORSE


def test_only_what_all_rows_have_is_compared():
    names, table = trial.verdicts([HONEST, row("one", recall=interval(1, 2))])
    assert names == ["recall"] and table == [[trial.SAME], [trial.WORSE]]


def test_intervals_hold_all_draws():
    found = trial.intervals([{"a": 1.0, "b": -5.0}, {"a": 4.0, "b": -1.0}, {"a": 1.0, "b": 0.0}])
    assert found == {"a": {"mean": 2.0, "low": 1.0, "high": 4.0}, "b": {"mean": -2.0, "low": -5.0, "high": 0.0}}


def test_three_digits_that_matter():
    assert [trial.short(x) for x in (1234.4, -15.51, 0.123, -0.001)] == ["1,234", "-15.5", "0.12", "-0.00"]


def test_the_figure_says_means_and_arrows():
    axis = trial.figure(ROWS).axes[0]
    said = [text.get_text() for text in axis.texts]
    assert said[:6] == ["1.50", "8.50", "0.50", "618 ▼", "10.5 ▲", "0.80 ▼"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["honest", "high", "low", "touching"]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["FD", "recall", "copies"]


def test_exhibits_stand_in_rows_with_their_names():
    black, white = torch.zeros(12, 1, 8, 8, dtype=torch.uint8), torch.ones(12, 1, 8, 8)
    axis = trial.exhibits({"black": black, "white": white}, columns=4).axes[0]
    page = torch.as_tensor(axis.images[0].get_array())
    names = {label.get_text(): label.get_position()[1] for label in axis.get_yticklabels()}
    assert list(names) == ["black", "white"]
    assert page[int(names["black"]), 5] == 0 and page[int(names["white"]), 5] == 255
    assert page.shape[1] == 4 * 8 + 3 * 2 + 2 and page[0, 5] == 160  # a frame, so that white is seen on white


def test_the_stored_trial_can_be_shown():
    import pathlib

    file = pathlib.Path(methods.__file__).parent / "assets" / "results" / "metric_trial.json"
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert trial.verdicts(rows)[0] == list(trial.METRICS)
