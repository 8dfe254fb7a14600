"""How good samples are: pure functions of features (N, D), computed in float64."""

from gan_course.metrics.clusters import Purity, purity
from gan_course.metrics.compare import compare
from gan_course.metrics.conditional import IntraClass, intra_class
from gan_course.metrics.features import FeatureExtractor, extractor_for
from gan_course.metrics.frechet import frechet_distance
from gan_course.metrics.hidden import ImposedCode, Reconstruction, disturbed_cycle, impose_code
from gan_course.metrics.kernel import kernel_distance
from gan_course.metrics.modes import ModesCaptured, modes_captured
from gan_course.metrics.moments import StrokeShape, correlation_within, stroke_shape
from gan_course.metrics.neighbours import PRDC, prdc
from gan_course.metrics.paired import (
    Interval,
    PairScores,
    bootstrap_difference,
    compare_pairs,
    fine_detail,
    pair_scores,
    sharpness,
)
from gan_course.metrics.translations import compare_translations, gain

__all__ = [
    "PRDC",
    "FeatureExtractor",
    "ImposedCode",
    "Interval",
    "IntraClass",
    "ModesCaptured",
    "PairScores",
    "Purity",
    "Reconstruction",
    "StrokeShape",
    "bootstrap_difference",
    "compare",
    "compare_pairs",
    "compare_translations",
    "correlation_within",
    "disturbed_cycle",
    "extractor_for",
    "fine_detail",
    "frechet_distance",
    "gain",
    "impose_code",
    "intra_class",
    "kernel_distance",
    "modes_captured",
    "pair_scores",
    "prdc",
    "purity",
    "sharpness",
    "stroke_shape",
]
