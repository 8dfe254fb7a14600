"""How good samples are: pure functions of features (N, D), computed in float64."""

from gan_course.metrics.clusters import Purity, purity
from gan_course.metrics.compare import compare
from gan_course.metrics.conditional import IntraClass, intra_class
from gan_course.metrics.features import FeatureExtractor, extractor_for
from gan_course.metrics.frechet import frechet_distance
from gan_course.metrics.kernel import kernel_distance
from gan_course.metrics.modes import ModesCaptured, modes_captured
from gan_course.metrics.moments import StrokeShape, correlation_within, stroke_shape
from gan_course.metrics.neighbours import PRDC, prdc

__all__ = [
    "PRDC",
    "FeatureExtractor",
    "IntraClass",
    "ModesCaptured",
    "Purity",
    "StrokeShape",
    "compare",
    "correlation_within",
    "extractor_for",
    "frechet_distance",
    "intra_class",
    "kernel_distance",
    "modes_captured",
    "prdc",
    "purity",
    "stroke_shape",
]
