"""The report on all models that ships: one of its rows, made afresh from the checkpoint, has the same numbers."""

import json
import sys
from pathlib import Path

import pytest

from gan_course import data

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
REPORT = Path(data.__file__).resolve().parent.parent / "assets" / "results" / "all_models.json"


@pytest.fixture
def all_models(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import all_models

    yield all_models
    sys.modules.pop("all_models", None)


def test_a_row_of_the_shipped_report_is_made_again(all_models):
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    row = next(row for row in report["rows"] if row["checkpoint"] == "dcgan-fast-mnist")
    generator = all_models.training.load_network(row["checkpoint"], "cpu")[0]
    samples = all_models.training.sample(generator, report["samples"], row["seed"])
    fake = all_models.extractor()(data.to_uint8(samples))
    numbers = all_models.metrics.compare_features(all_models.features("test"), fake, all_models.extractor().name)
    for key, value in numbers.items():
        # Another processor rounds the convolutions differently; the numbers move by far less than their spread.
        assert row[key] == (value if isinstance(value, str | int) else pytest.approx(value, rel=0.01, abs=0.002)), key


def test_every_gan_of_digits_is_in_the_report_and_no_other(all_models):
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    assert {row["checkpoint"] for row in report["rows"]} == {all_models.REAL, *all_models.generators()}
    assert all(row["features"] == "digit features" for row in report["rows"])
