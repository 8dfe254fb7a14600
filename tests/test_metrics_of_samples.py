"""Scores, curves, diversity, memorisation, tests of two samples: closed forms, other libraries, degenerate input."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch

from gan_course import data, metrics, networks
from gan_course.metrics import curve, two_sample

PAIRED = {
    "frechet": metrics.frechet_distance,
    "kernel": metrics.kernel_distance,
    "prdc": metrics.prdc,
    "extrapolated": lambda x, y: metrics.extrapolated_frechet(x, y, points=4, smallest=20)[0],
    "curve": lambda x, y: metrics.precision_recall_curve(x, y, clusters=3, runs=1)[2],
    "two-sample": lambda x, y: metrics.classifier_two_sample(x, y).accuracy,
    "nearest": lambda x, y: metrics.nearest_training(y, x).distance.sum().item(),
}


def normals(n, d, seed, shift=0.0, scale=1.0):
    return scale * torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


# Inception Score


def test_inception_score_in_closed_form():
    assert metrics.inception_score(torch.eye(10).repeat(7, 1)) == pytest.approx(10)
    assert metrics.inception_score(torch.full((9, 4), 0.25)) == pytest.approx(1)
    assert metrics.inception_score(torch.eye(10)[:1].repeat(5, 1)) == pytest.approx(1), "one class is no variety"
    two_of_three = torch.tensor([[0.5, 0.5, 0.0]])
    assert metrics.inception_score(two_of_three) == pytest.approx(1)
    mixed = torch.tensor([[1.0, 0.0], [0.5, 0.5]])  # mean (3/4, 1/4)
    kl = (math.log(4 / 3) + 0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    assert metrics.inception_score(mixed) == pytest.approx(math.exp(kl))


def test_inception_score_against_torch_fidelity():
    from torch_fidelity import metric_isc

    logits = normals(300, 7, 0, scale=2)
    theirs = metric_isc.isc_features_to_metric(logits, splits=1)["inception_score_mean"]
    assert metrics.inception_score(logits.softmax(1)) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize(
    ("probs", "message"),
    [
        (torch.tensor([[0.5, 0.5], [3.0, -1.0]]), "Row 1 holds no probabilities"),
        (torch.tensor([[0.5, math.nan]]), "Row 0 holds no probabilities"),
        (torch.zeros(0, 3), "N > 0"),
    ],
)
def test_what_is_no_probability_is_named(probs, message):
    with pytest.raises(ValueError, match=message):
        metrics.inception_score(probs)


# The precision-recall curve


def test_curve_of_equal_and_of_disjoint_shares():
    p = torch.tensor([0.2, 0.3, 0.5])
    precision, recall = curve.curve_of_shares(p, p)
    middle = len(precision) // 2
    assert precision[middle] == pytest.approx(1) and recall[middle] == pytest.approx(1)
    precision, recall = curve.curve_of_shares(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    assert precision.max() == 0 and recall.max() == 0


def test_curve_of_a_dropped_mode_is_full_precision_and_half_recall():
    """q is p without one of two equal modes: at every precision up to 1 the recall is one half, and no more."""
    precision, recall = curve.curve_of_shares(torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0]))
    assert precision.max() == pytest.approx(1) and recall.max() == pytest.approx(0.5)
    swapped = curve.curve_of_shares(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5]))
    assert swapped[0].max() == pytest.approx(0.5) and swapped[1].max() == pytest.approx(1)


def test_curve_of_samples_sees_the_dropped_mode():
    real = torch.cat([normals(100, 3, 0), normals(100, 3, 1, shift=50)])
    whole = metrics.precision_recall_curve(real, real.flip(0), clusters=2, runs=2)
    assert whole.f8 == pytest.approx(1) and whole.f1_8 == pytest.approx(1)
    half = metrics.precision_recall_curve(real, normals(200, 3, 2), clusters=2, runs=2)
    assert half.f1_8 > 0.98 and half.f8 == pytest.approx(65 * 0.5 / (64 + 0.5), rel=1e-3)
    far = metrics.precision_recall_curve(real, real + 1e4, clusters=2, runs=2)
    assert far.f8 == far.f1_8 == 0


def test_k_means_finds_what_scikit_learn_finds():
    from sklearn.cluster import KMeans

    points = torch.cat([normals(80, 4, seed, shift=6 * seed) for seed in range(5)])
    ours = [curve.k_means(points, 5, seed) for seed in range(5)]

    def spread(labels):
        return sum((points[labels == i] - points[labels == i].mean(0)).square().sum().item() for i in range(5))

    theirs = KMeans(5, n_init=10, random_state=0).fit(points.numpy())
    assert min(map(spread, ours)) == pytest.approx(theirs.inertia_, rel=1e-9)
    assert torch.equal(ours[3], curve.k_means(points, 5, 3)), "the seed fixes it"


def test_k_means_of_one_point_many_times():
    labels = curve.k_means(torch.ones(6, 2, dtype=torch.float64), 3)
    assert len(set(labels.tolist())) == 1


def test_curve_needs_equally_many():
    with pytest.raises(ValueError, match="As many real as fake"):
        metrics.precision_recall_curve(normals(50, 3, 0), normals(40, 3, 0))


# Extrapolation


def test_extrapolation_is_the_line_through_its_points():
    x, y = normals(900, 3, 0), normals(600, 3, 1, shift=0.2)
    result = metrics.extrapolated_frechet(x, y, points=6, smallest=100)
    fit = scipy.stats.linregress(1 / result.sizes.numpy(), result.distances.numpy())
    assert result.value == pytest.approx(fit.intercept, rel=1e-9) and result.slope == pytest.approx(fit.slope, rel=1e-9)
    assert result.sizes.tolist() == [100, 200, 300, 400, 500, 600]
    assert result.distances[-1] == pytest.approx(metrics.frechet_distance(x, y))


def test_extrapolation_takes_most_of_the_bias_away():
    """Both from one normal: the distance would be 0. The real ones are so many that the fakes' number counts."""
    x, y = normals(20_000, 16, 0), normals(1_000, 16, 1)
    result = metrics.extrapolated_frechet(x, y, points=10, smallest=200)
    assert abs(result.value) < 0.3 * metrics.frechet_distance(x, y) and result.slope > 0


def test_too_few_samples_for_a_line():
    with pytest.raises(ValueError, match="two sizes or more"):
        metrics.extrapolated_frechet(normals(20, 3, 0), normals(4, 3, 0))


# Diversity


def test_pairwise_distance_in_closed_form_and_by_torch():
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])
    assert metrics.mean_pairwise_distance(points) == pytest.approx((5 + 0 + 5) / 3)
    assert metrics.mean_pairwise_distance(torch.full((9, 3), 7.3)) == 0
    x = normals(2500, 6, 0, shift=3)
    assert metrics.mean_pairwise_distance(x) == pytest.approx(torch.pdist(x).mean().item(), rel=1e-9)


def test_ms_ssim_of_one_image_and_of_two_kinds():
    digits = data.load("mnist", "test")
    of_one = digits.images[digits.labels == 1][:60]
    assert metrics.ms_ssim(digits.images[:1].repeat(8, 1, 1, 1), pairs=20) == pytest.approx(1)
    assert metrics.ms_ssim(of_one, 200) > metrics.ms_ssim(digits.images[:60], 200) + 0.05
    assert metrics.ms_ssim(data.to_float(of_one), 50) == metrics.ms_ssim(of_one, 50)


@pytest.mark.parametrize("side", [16, 28, 32, 42, 97, 176])
def test_ms_ssim_takes_as_many_scales_as_fit(side):
    images = torch.randint(256, (2, 1, side, side), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    assert metrics.ms_ssim(images, pairs=1) < 0.9


def test_ms_ssim_needs_two_images_of_some_size():
    with pytest.raises(ValueError, match="16 x 16"):
        metrics.ms_ssim(torch.zeros(4, 1, 8, 8))


# Classes captured


def test_classes_captured_in_closed_form():
    assert metrics.classes_captured(torch.arange(1000).repeat(3), 1000) == (1000, pytest.approx(0))
    assert metrics.classes_captured(torch.zeros(9), 1000) == (1, pytest.approx(math.log(1000)))
    uneven = metrics.classes_captured(torch.tensor([0, 0, 0, 1]), 2)
    assert uneven.kl == pytest.approx(scipy.stats.entropy([0.75, 0.25], [0.5, 0.5]))
    with pytest.raises(ValueError, match=r"lie in 0..3.*from 0 to 4"):
        metrics.classes_captured(torch.tensor([0, 4]), 4)


# Memorisation


def test_nearest_training_by_definition():
    x, y = normals(1500, 5, 0, shift=4), normals(1100, 5, 1, shift=4)
    nearest = metrics.nearest_training(y, x)
    distances = torch.cdist(y, x, compute_mode="donot_use_mm_for_euclid_dist")
    assert torch.allclose(nearest.distance, distances.amin(1), rtol=1e-9)
    assert torch.equal(nearest.row, distances.argmin(1))
    copies = metrics.nearest_training(x[5:9], x)
    assert copies.distance.tolist() == [0, 0, 0, 0] and copies.row.tolist() == [5, 6, 7, 8]


def test_memorisation_against_scipy():
    training, held_out, fake = normals(200, 4, 0), normals(150, 4, 1), normals(90, 4, 2, scale=0.9)
    fake = torch.cat([fake, training[:5]])
    ours = metrics.memorisation(fake, training, held_out)
    near = [metrics.nearest_training(part, training).distance.numpy() for part in (fake, held_out)]
    theirs = scipy.stats.mannwhitneyu(*near, alternative="less", method="asymptotic", use_continuity=False)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-6)
    assert ours.closer == pytest.approx(1 - theirs.statistic / (95 * 150))
    assert ours.held_out_distance == pytest.approx(np.median(near[1]), rel=1e-9), "of an even number"
    assert ours.fake_distance == pytest.approx(np.median(near[0]), rel=1e-9)


def test_memorisation_of_copies_of_strangers_and_of_honest_samples():
    training, held_out = normals(300, 4, 0), normals(300, 4, 1)
    copies = metrics.memorisation(training + 1e-3, training, held_out)
    assert copies.z < -10 and copies.p_value < 1e-6 and copies.closer > 0.98
    strangers = metrics.memorisation(held_out + 9, training, held_out)
    assert strangers.z > 10 and strangers.closer < 0.02
    values = [metrics.memorisation(normals(100, 4, 9 + i), training, held_out).z for i in range(60)]
    assert abs(np.mean(values)) < 1 and 0.5 < np.std(values) < 1.6
    assert metrics.memorisation(held_out, training, held_out).z == pytest.approx(0, abs=1e-9)
    assert metrics.memorisation(training[:9], training[:9], training[:9]).z == 0, "all tied"


def test_bad_held_out_features_are_called_so():
    training, held_out, fake = normals(20, 4, 0), normals(10, 4, 2), normals(9, 4, 1)
    broken = held_out.clone()
    broken[3, 1] = math.nan
    for wrong, message in (
        (broken, "held-out features hold NaN or infinity, first in row 3"),
        (held_out[:, 0], r"held-out features must have shape \(N, D\)"),
        (held_out[:, :3], "Training features have 4 dimensions but held-out ones 3"),
    ):
        with pytest.raises(ValueError, match=message):
            metrics.memorisation(fake, training, wrong)
    lists = (part.tolist() for part in (fake, training, held_out))
    assert metrics.memorisation(*lists).z == pytest.approx(metrics.memorisation(fake, training, held_out).z)


# The classifier two-sample test


def test_logistic_regression_against_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    x = torch.cat([normals(200, 5, 0), normals(200, 5, 1, shift=0.4)])
    labels = torch.arange(2.0, dtype=torch.float64).repeat_interleave(200)
    ours = two_sample.logistic_regression(x, labels, ridge=1e-2)
    theirs = LogisticRegression(C=1 / (1e-2 * 400), tol=1e-10, max_iter=1000).fit(x.numpy(), labels.numpy())
    assert np.allclose(ours[:-1], theirs.coef_[0], rtol=1e-4) and ours[-1] == pytest.approx(theirs.intercept_[0], 1e-4)


@pytest.mark.parametrize("classifier", ["logistic", "neighbour"])
def test_two_samples_of_one_distribution_are_rejected_as_rarely_as_said(classifier):
    values = [
        metrics.classifier_two_sample(normals(60, 3, 2 * i), normals(60, 3, 2 * i + 1), classifier, seed=i).p_value
        for i in range(200)
    ]
    assert sum(value < 0.05 for value in values) < 24, "12 % of 5 % expected"
    assert 0.35 < np.mean(values) < 0.65


@pytest.mark.parametrize("classifier", ["logistic", "neighbour"])
def test_two_samples_far_apart_and_copies(classifier):
    x = normals(100, 3, 0)
    far = metrics.classifier_two_sample(x, x + 20, classifier)
    assert far.accuracy == 1 and far.held_out == 100 and far.p_value == pytest.approx(scipy.stats.norm.sf(10))
    constant = metrics.classifier_two_sample(torch.ones(10, 2), torch.ones(10, 2), classifier)
    assert constant.accuracy == 0.5


def test_the_nearest_neighbour_gives_copies_away():
    """Of a held-out copy whose original is known, the nearest neighbour is of the other set: below chance."""
    x = normals(400, 8, 0)
    assert metrics.classifier_two_sample(x, x.clone(), "neighbour").accuracy < 0.4


def test_two_sample_draws_from_the_larger_set_and_names_a_wrong_classifier():
    assert metrics.classifier_two_sample(normals(1000, 3, 0), normals(50, 3, 1)).held_out == 50
    with pytest.raises(ValueError, match="'logistic' or 'neighbour'"):
        metrics.classifier_two_sample(normals(9, 2, 0), normals(9, 2, 1), "oracle")


# Path length


def test_path_length_of_the_codes_themselves_in_closed_form():
    """The squared speed of slerp, for independent lengths of a and b and an angle with density sin^(d - 2)."""
    d = 8
    square, product = d, 2 * (math.gamma((d + 1) / 2) / math.gamma(d / 2)) ** 2  # E|a|^2 and (E|a|)^2

    def speed(angle):  # the mean over t in [0, 1]
        own = 0.5 + math.sin(2 * angle) / (4 * angle)
        both = math.cos(angle) / 2 + math.sin(angle) / (2 * angle)
        return (angle / math.sin(angle)) ** 2 * (2 * square * own - 2 * product * math.cos(angle) * both)

    weight = scipy.integrate.quad(lambda angle: math.sin(angle) ** (d - 2), 0, math.pi)[0]
    total = scipy.integrate.quad(lambda angle: speed(angle) * math.sin(angle) ** (d - 2), 0, math.pi)[0]
    result = metrics.path_length(lambda z: 3 * z, lambda x: x, n=20_000, latent_dim=d)
    assert result.mean == pytest.approx(9 * total / weight, abs=4 * result.error)
    assert result.error < 0.02 * result.mean


def test_path_length_of_a_constant_and_its_scale():
    assert metrics.path_length(lambda z: torch.ones(len(z), 3), lambda x: x, 10, latent_dim=4).mean == 0
    one, two = (metrics.path_length(lambda z, k=k: k * z, lambda x: x, 50, latent_dim=4).mean for k in (1, 2))
    assert two == pytest.approx(4 * one)


def test_path_length_does_not_depend_on_epsilon_and_leaves_the_modules_alone():
    generator = networks.DCGANGenerator(6, 28, 1, width=4)
    extractor = metrics.extractor_for("mnist", (1, 28, 28), torch.device("cpu"))
    generator.train()
    fine, coarse = (metrics.path_length(generator, extractor, 8, epsilon=step).mean for step in (1e-5, 1e-4))
    assert fine == pytest.approx(coarse, rel=0.02) and fine > 0
    assert generator.training and next(generator.parameters()).dtype == torch.float32
    told = networks.ConditionalGenerator(6, 10, 28, 1, width=4)
    assert metrics.path_length(told, extractor, 4, labels=3).mean > 0


def test_path_length_takes_the_features_to_the_generator(monkeypatch):
    """Seen by where modules are sent; there need not be a GPU."""
    generator, sent = networks.DCGANGenerator(6, 28, 1, width=4), []
    extractor = metrics.extractor_for("mnist", (1, 28, 28), torch.device("cpu"))
    to = torch.nn.Module.to
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *where: sent.append(where) or to(self, *where))
    for features in (extractor, extractor.network):
        metrics.path_length(generator, features, 4)
    metrics.path_length(lambda z: z, torch.nn.Identity(), 4, latent_dim=2)
    here = (torch.device("cpu"), torch.float64)
    assert sent == 4 * [here] + [(None, torch.float64)], "a function may be anywhere: the features stay where they are"


def test_path_length_says_what_is_missing():
    with pytest.raises(ValueError, match="latent_dim"):
        metrics.path_length(lambda z: z, lambda x: x)
    with pytest.raises(ValueError, match="knows no classes, so it cannot be told a label"):
        metrics.path_length(networks.DCGANGenerator(6, 28, 1, width=4), lambda x: x, 4, labels=3)
    with pytest.raises(ValueError, match="There is no class 10"):
        metrics.path_length(networks.ConditionalGenerator(6, 10, 28, 1, width=4), lambda x: x, 4, labels=10)
    with pytest.raises(ValueError, match="first for step 0"):
        metrics.path_length(lambda z: z * math.nan, lambda x: x, 5, latent_dim=2)


# All of them


@pytest.mark.parametrize("name", PAIRED)
def test_bad_input_is_named(name):
    good, metric = normals(40, 4, 0), PAIRED[name]
    broken = good.clone()
    broken[7, 2] = float("nan")
    with pytest.raises(ValueError, match=r"(fake|sample) features hold NaN or infinity, first in row 7"):
        metric(good, broken)
    with pytest.raises(ValueError, match=r"(real|training) features hold NaN or infinity, first in row 7"):
        metric(broken, good)
    with pytest.raises(ValueError, match=r"4 dimensions but (fake|sample) ones 3"):
        metric(good, good[:, :3])


@pytest.mark.parametrize("name", ["frechet", "kernel", "prdc", "nearest"])
def test_order_does_not_matter(name):
    x, y = normals(120, 5, 0), normals(130, 5, 1)
    rows = [torch.randperm(len(part), generator=torch.Generator().manual_seed(3)) for part in (x, y)]
    assert PAIRED[name](x[rows[0]], y[rows[1]]) == pytest.approx(PAIRED[name](x, y), rel=1e-9)


def test_order_does_not_matter_to_metrics_of_one_set():
    x = normals(300, 5, 0)
    order = torch.randperm(300, generator=torch.Generator().manual_seed(3))
    assert metrics.mean_pairwise_distance(x[order]) == pytest.approx(metrics.mean_pairwise_distance(x), rel=1e-12)
    probs = x.softmax(1)
    assert metrics.inception_score(probs[order]) == pytest.approx(metrics.inception_score(probs), rel=1e-12)


@pytest.mark.parametrize("name", PAIRED)
def test_float32_and_float64_features_of_one_value_agree(name):
    x, y = normals(60, 4, 0).float(), normals(60, 4, 1, shift=0.5).float()
    assert PAIRED[name](x, y) == pytest.approx(PAIRED[name](x.double(), y.double()), rel=1e-12)
