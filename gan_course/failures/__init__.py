"""Failures of GANs caused on purpose, each with the one change that cures it and the number that shows both.

failure = failures.FAILURES["ring-collapse"]
broken, cured = failures.train(failure, "broken"), failures.train(failure, "cured")
print(failure.change, broken.numbers, broken.verdict, cured.numbers, cured.verdict)

CURES holds what may cure a collapse; benchmarks/failure_lab.py tries each of them on both collapses.
"""

from gan_course.failures import building, collapse, gradients
from gan_course.failures.collapse import CURES
from gan_course.failures.framework import Failure, Outcome, train
from gan_course.failures.pieces import watched

__all__ = ["CURES", "FAILURES", "Failure", "Outcome", "train", "watched"]

FAILURES: dict[str, Failure] = {
    failure.name: failure
    for failure in (
        collapse.RING_COLLAPSE,
        collapse.GRID_COLLAPSE,
        gradients.SATURATION,
        gradients.EARLY_WINNER,
        gradients.OVERCONFIDENCE,
        gradients.EXPLODING_GRADIENTS,
        building.BAD_INITIALISATION,
        building.DEAD_UNITS,
        building.BATCH_STATISTICS,
        building.FAR_RATE,
        building.RESTLESS,
    )
}
