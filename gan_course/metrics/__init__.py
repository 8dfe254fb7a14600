"""How good samples are: pure functions of features (N, D), computed in float64."""

from gan_course.metrics.clusters import Purity, purity
from gan_course.metrics.compare import compare, compare_features
from gan_course.metrics.conditional import IntraClass, intra_class
from gan_course.metrics.curve import PRCurve, precision_recall_curve
from gan_course.metrics.diversity import mean_pairwise_distance, ms_ssim
from gan_course.metrics.extrapolation import Extrapolation, extrapolated_frechet
from gan_course.metrics.features import FeatureExtractor, extractor_for
from gan_course.metrics.frechet import frechet_distance
from gan_course.metrics.inception import inception_score
from gan_course.metrics.judge import features_of, judge
from gan_course.metrics.kernel import kernel_distance
from gan_course.metrics.memorisation import Memorisation, Nearest, compare_nearest, memorisation, nearest_training
from gan_course.metrics.modes import ClassesCaptured, ModesCaptured, classes_captured, modes_captured
from gan_course.metrics.moments import StrokeShape, correlation_within, stroke_shape
from gan_course.metrics.neighbours import PRDC, prdc
from gan_course.metrics.path_length import PathLength, path_length
from gan_course.metrics.two_sample import TwoSample, classifier_two_sample

__all__ = [
    "PRDC",
    "ClassesCaptured",
    "Extrapolation",
    "FeatureExtractor",
    "IntraClass",
    "Memorisation",
    "ModesCaptured",
    "Nearest",
    "PRCurve",
    "PathLength",
    "Purity",
    "StrokeShape",
    "TwoSample",
    "classes_captured",
    "classifier_two_sample",
    "compare",
    "compare_features",
    "compare_nearest",
    "correlation_within",
    "extractor_for",
    "extrapolated_frechet",
    "features_of",
    "frechet_distance",
    "inception_score",
    "intra_class",
    "judge",
    "kernel_distance",
    "mean_pairwise_distance",
    "memorisation",
    "modes_captured",
    "ms_ssim",
    "nearest_training",
    "path_length",
    "prdc",
    "precision_recall_curve",
    "purity",
    "stroke_shape",
]
