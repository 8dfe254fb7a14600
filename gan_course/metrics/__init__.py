"""How good samples are: pure functions of features (N, D), computed in float64."""

from gan_course.metrics.clusters import Purity, purity
from gan_course.metrics.compare import compare, compare_features
from gan_course.metrics.conditional import IntraClass, intra_class
from gan_course.metrics.curve import PRCurve, precision_recall_curve
from gan_course.metrics.diversity import mean_pairwise_distance, ms_ssim
from gan_course.metrics.domains import compare_domains
from gan_course.metrics.extrapolation import Extrapolation, extrapolated_frechet
from gan_course.metrics.features import FeatureExtractor, extractor_for
from gan_course.metrics.frechet import frechet_distance
from gan_course.metrics.hidden import ImposedCode, Reconstruction, disturbed_cycle, impose_code
from gan_course.metrics.inception import inception_score
from gan_course.metrics.judge import features_of, judge
from gan_course.metrics.kernel import kernel_distance
from gan_course.metrics.memorisation import Memorisation, Nearest, compare_nearest, memorisation, nearest_training
from gan_course.metrics.modes import ClassesCaptured, ModesCaptured, classes_captured, modes_captured
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
from gan_course.metrics.path_length import PathLength, path_length
from gan_course.metrics.translations import compare_translations, gain
from gan_course.metrics.two_sample import TwoSample, classifier_two_sample

__all__ = [
    "PRDC",
    "ClassesCaptured",
    "Extrapolation",
    "FeatureExtractor",
    "ImposedCode",
    "Interval",
    "IntraClass",
    "Memorisation",
    "ModesCaptured",
    "Nearest",
    "PRCurve",
    "PairScores",
    "PathLength",
    "Purity",
    "Reconstruction",
    "StrokeShape",
    "TwoSample",
    "bootstrap_difference",
    "classes_captured",
    "classifier_two_sample",
    "compare",
    "compare_domains",
    "compare_features",
    "compare_nearest",
    "compare_pairs",
    "compare_translations",
    "correlation_within",
    "disturbed_cycle",
    "extractor_for",
    "extrapolated_frechet",
    "features_of",
    "fine_detail",
    "frechet_distance",
    "gain",
    "impose_code",
    "inception_score",
    "intra_class",
    "judge",
    "kernel_distance",
    "mean_pairwise_distance",
    "memorisation",
    "modes_captured",
    "ms_ssim",
    "nearest_training",
    "pair_scores",
    "path_length",
    "prdc",
    "precision_recall_curve",
    "purity",
    "sharpness",
    "stroke_shape",
]
