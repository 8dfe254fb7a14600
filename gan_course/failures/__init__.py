"""Failures of GANs caused on purpose, each with the one change that cures it and the number that shows both.

failure = failures.FAILURES["ring-collapse"]
broken, cured = failures.train(failure, "broken"), failures.train(failure, "cured")
print(failure.change, broken.numbers, broken.verdict, cured.numbers, cured.verdict)
"""

from gan_course.failures.framework import Failure, Outcome, train, watched
from gan_course.failures.listed import FAILURES

__all__ = ["FAILURES", "Failure", "Outcome", "train", "watched"]
