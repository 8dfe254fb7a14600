"""What the tables of benchmarks/ share: rows that are kept when they are done, and their mean and spread.

Each script makes one row after the other, writes the whole result after each, and leaves out the rows that its file
holds already: it can be stopped at any time and started again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from gan_course import methods, training
from gan_course.files import write_atomically

RESULTS = Path(methods.__file__).parent / "assets" / "results"


def parser(description: str, out: Path) -> argparse.ArgumentParser:
    """A parser with the options of every table: how many new rows at most, and the file."""
    options = argparse.ArgumentParser(description=description.splitlines()[0])
    options.add_argument("--most", type=int, default=1_000, help="end after so many new rows")
    options.add_argument("--out", type=Path, default=out, help="the result, read first and written after each row")
    return options


def before(path: Path, **settings: float) -> dict:
    """The result so far, or one without rows if there is no file.

    Raises:
        SystemExit: the file was made with other settings, for example another number of `steps`.
    """
    result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"rows": []}
    for name, value in settings.items():
        if result.get(name, value) != value:
            raise SystemExit(f"{path} was made with {name} {result[name]} and not {value}: give another --out.")
    return result


def stored(path: Path) -> list[dict]:
    """The rows that the file holds; none if there is no file."""
    return before(path)["rows"]


def missing(wanted: Iterable[tuple], rows: list[dict], columns: Sequence[str]) -> list[tuple]:
    """Those keys of `wanted` that no row has; a row's key is what stands in its `columns`."""
    done = {tuple(row[column] for column in columns) for row in rows}
    return [key for key in wanted if key not in done]


def lines(path: Path) -> list[dict]:
    """The rows of a file with one JSON object a line; none if there is no file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def append(path: Path, row: dict) -> None:
    """One more line of such a file, which is printed, too."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


def write(path: Path, result: dict) -> None:
    """The whole result, written to another name first and then renamed."""
    write_atomically(path, (json.dumps(result, indent=1) + "\n").encode())


def spread(values: Sequence[float], digits: int = 4) -> dict[str, float]:
    """Mean and standard deviation (of a sample; 0 for a single value) over the seeds."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": round(statistics.mean(values), digits), "std": round(deviation, digits)}


def rounded(row: dict, digits: int = 4) -> dict:
    """The row with its floats rounded."""
    return {key: round(value, digits) if isinstance(value, float) else value for key, value in row.items()}


def seconds_a_step(recipe: methods.Recipe, images, seconds: float = 3.0) -> float:
    """Processor time of one step, after ten that are not counted."""
    run = training.train(training.Run(recipe, images, 99, "cpu"), steps=10)
    started = time.process_time()
    while time.process_time() - started < seconds:
        recipe.step(run)
        run.step += 1
    return (time.process_time() - started) / (run.step - 10)
