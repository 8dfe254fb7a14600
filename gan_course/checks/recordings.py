"""The recorded trainings of lesson 04's quiz, what each of them is, and what speaks against the other answers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from statistics import mean

RECORDED = Path(__file__).parent.parent / "assets" / "results" / "recorded_runs.json"

VERDICTS = {
    "A": "healthy",
    "B": "overpowered",
    "C": "collapsed",
    "D": "saturated",
    "E": "healthy",
    "F": "collapsed",
}

# verdict: where it shows
LOOK_AT = {
    "healthy": "Look at the spread. Flat losses are also what a game shows that has come to rest.",
    "collapsed": "Look at the spread, and at what it did before. The losses of such a run may look like anything.",
    "saturated": "Look at G's loss together with G's gradient: where is this loss flat?",
    "overpowered": "D is sure of everything, and G's gradient is long all the same. Does it get G anywhere?",
}


@cache
def runs() -> dict[str, dict]:
    """The recordings of benchmarks/record_runs.py: {letter: {"settings": ..., "columns": ..., ...}}."""
    return json.loads(RECORDED.read_text(encoding="utf-8"))["runs"]


def ends(letter: str) -> dict[str, float]:
    """The mean of the last 100 steps of every curve."""
    return {name: mean(column[-10:]) for name, column in runs()[letter]["columns"].items()}


def against(verdict: str, letter: str) -> str:
    """What in a recording speaks against a verdict that is wrong."""
    end = ends(letter)
    spread = f"its fakes lie {end['spread']:.2g} times as far apart as real samples"
    answers = f"D answers {end['d_real']:.3f} to real samples and {end['d_fake']:.3f} to fakes"
    gradient = f"G's gradient is {end['g_gradient']:.2g} long"
    if verdict == "collapsed":
        never = "and never lay further apart: this G has not fallen on one image, it has not started"
        return f"{spread}." if end["spread"] > 0.5 else f"{spread}, {never}."
    if verdict == "healthy":
        return f"{spread}." if end["d_fake"] > 0.05 else f"{answers}, and {spread}."
    if verdict == "saturated":
        if end["d_fake"] > 0.2:
            return f"{answers}: it does not reject the fakes, so G's loss is not at its flat end."
        steep = f"the loss is {end['g_loss']:.1f}, where it is steep. What does not answer is G itself"
        return f"{gradient}: it has not vanished." if end["g_gradient"] > 0.1 else f"{steep}."
    return f"{answers}: it is not sure at all." if end["d_fake"] > 0.2 else f"{answers}, but {gradient}."
