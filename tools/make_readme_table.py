"""Write the bake-off of lesson 11 into README.md, between its two marks, from the results that ship.

python tools/make_readme_table.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from gan_course.files import write_atomically

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "gan_course" / "assets" / "results" / "bake_off.json"
BLOCK = re.compile(r"(<!-- bake-off -->\n).*?(<!-- /bake-off -->)", re.DOTALL)
SETS = {"mnist": "MNIST", "fashion": "Fashion-MNIST", "grid": "grid of 25 points"}
COLUMNS = {
    "frechet_distance": ("FD", ".1f"),
    "kernel_distance": ("KD", ".2f"),
    "precision": ("precision", ".2f"),
    "recall": ("recall", ".2f"),
    "density": ("density", ".2f"),
    "coverage": ("coverage", ".2f"),
    "bits_per_dimension": ("bits a pixel", ".2f"),
    "modes": ("modes", ".1f"),
    "high_quality": ("near a mode", ".3f"),
    "kl": ("KL", ".4f"),
    "steps": ("steps", ",.0f"),
    "ms_a_sample": ("ms a sample", ".2g"),
}
WITHOUT_SPREAD = ("steps", "ms_a_sample")


def main() -> None:
    """Read the result, and write README.md if its tables are others."""
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    write_atomically(path, filled(text, json.loads(RESULT.read_text(encoding="utf-8"))).encode())


def filled(text: str, result: dict) -> str:
    """The README's text with the tables of this result between the marks.

    Raises:
        SystemExit: the marks are not there.
    """
    if not BLOCK.search(text):
        raise SystemExit("README.md needs a line '<!-- bake-off -->' and a line '<!-- /bake-off -->' after it.")
    tables = "\n".join(table(name, result) for name in SETS)
    return BLOCK.sub(lambda marks: f"{marks[1]}{tables}{marks[2]}", text)


def table(name: str, result: dict) -> str:
    """The table of one set in Markdown: a line a model."""
    rows = [row for row in result["table"] if row["data"] == name]
    metrics = [metric for metric in COLUMNS if any(metric in row for row in rows)]
    header = [SETS[name], *(COLUMNS[metric][0] for metric in metrics), "MB to train"]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        cost = result["costs"][name].get(row["name"])
        memory = f"{cost['train_mb']:.0f}" if cost else ""
        lines.append([row["name"], *(cell(row, metric) for metric in metrics), memory])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def cell(row: dict, metric: str) -> str:
    """The mean over the seeds, with its standard deviation where they differ; empty without such a number."""
    if metric not in row:
        return ""
    form, (mean, deviation) = COLUMNS[metric][1], (row[metric]["mean"], row[metric]["std"])
    text = f"{mean:{form}}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")  # no -0.00
    return f"{text} ± {deviation:{form}}" if deviation and metric not in WITHOUT_SPREAD else text


if __name__ == "__main__":
    main()
