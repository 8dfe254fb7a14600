"""Draw docs/results.png, the README's picture: real digits beside those of the shipped generators, not selected.

python tools/make_readme_figure.py
"""

from __future__ import annotations

from pathlib import Path

from gan_course import data, plots, training

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Draw and save the picture."""
    groups = {"real MNIST digits\n(test split)": data.load("mnist", "test").images[:49]}
    for name in ("dcgan-fast-mnist", "dcgan-mnist"):
        generator, card = training.load_network(name, "cpu")
        title = f"{card['recipe']['name']}\n{card['steps']:,} steps, {card['seconds'] / 60:.0f} minutes on a CPU"
        groups[title] = training.sample(generator, 49, seed=0)
    figure = plots.comparison(groups, columns=7)
    figure.savefig(ROOT / "docs" / "results.png", dpi=110, facecolor="white", bbox_inches="tight")


if __name__ == "__main__":
    main()
