"""Digits in five domains: what each does, what is paired, and that nothing is in training."""

import time

import pytest
import torch

from gan_course import data, metrics
from gan_course.data import domains


@pytest.fixture(scope="module")
def mnist() -> data.ImageSet:
    return data.load("mnist", "test")


@pytest.fixture(scope="module")
def digits(mnist) -> torch.Tensor:
    return mnist.images[:300]


def test_each_domain_does_what_its_name_says(digits):
    drawn = dict(zip(domains.NAMES, domains.in_every_domain(digits), strict=True))
    shapes = {name: metrics.stroke_shape(255 - x if name == "inverted" else x) for name, x in drawn.items()}
    assert torch.equal(drawn["plain"], digits)
    assert torch.equal(drawn["inverted"], 255 - digits)
    assert (shapes["thin"].thickness < shapes["plain"].thickness).all()
    assert (shapes["thick"].thickness > shapes["plain"].thickness + 0.5).all()
    leaning = shapes["slanted"].slant - shapes["plain"].slant
    assert leaning.mean() == pytest.approx(-0.5, abs=0.02) and leaning.std() < 0.05
    for name in ("thin", "thick"):
        assert (shapes[name].slant - shapes["plain"].slant).abs().mean() < 0.03, "and only that"


def test_slanting_hardly_blurs(digits):
    """0.85 of the fine detail stays; interpolated on lines 0.67, and the blur alone would name the domain."""
    assert metrics.sharpness(domains.draw(digits, "slanted"), digits) > 0.8


def test_a_thin_stroke_keeps_its_light(digits):
    thin = domains.draw(digits, "thin")
    assert thin.amax((1, 2, 3)).min() >= 200
    assert (thin <= digits).all(), "ink is taken away, nowhere added"


def test_the_course_s_classifier_still_reads_them(mnist, digits):
    extractor = metrics.extractor_for("mnist", (1, 28, 28), torch.device("cpu"))
    for name, drawn in zip(domains.NAMES, domains.in_every_domain(digits), strict=True):
        found = extractor.classify(255 - drawn if name == "inverted" else drawn)
        assert (found == mnist.labels[:300]).float().mean() > 0.95, name


def test_an_image_does_not_depend_on_the_others(digits):
    for name in domains.NAMES:
        assert torch.equal(domains.draw(digits, name)[270:273], domains.draw(digits[270:273], name)), name
        assert torch.equal(domains.draw(digits[:2], name), domains.draw(digits[:2], domains.NAMES.index(name)))


def test_no_digit_is_in_two_domains_of_the_training_split():
    """Row i holds digit i, in one domain: so five disjoint fifths."""
    train, mnist = data.load("digit-domains"), data.load("mnist")
    assert train.images.shape == (50_000, 1, 28, 28) and train.classes == list(domains.NAMES)
    assert train.labels.bincount().tolist() == [10_000] * 5 and train.name == "digit-domains"
    for row in (0, 1, 2, 3, 4, 12_346, 49_999):
        assert torch.equal(train.images[row : row + 1], domains.draw(mnist.images[row : row + 1], row % 5))
        assert train.labels[row] == row % 5


def test_the_held_out_digits_are_in_every_domain(mnist):
    test = data.load("digit-domains", "test")
    answers = test.images.unflatten(0, (5, 2_000))  # (domain, digit, 1, 28, 28)
    assert torch.equal(test.labels.unflatten(0, (5, 2_000)), torch.arange(5)[:, None].expand(5, 2_000))
    assert torch.equal(answers[0], mnist.images[:2_000]) and torch.equal(answers[4], 255 - answers[0])
    assert torch.equal(answers[:, 7], domains.in_every_domain(mnist.images[7:8])[:, 0])


def test_digits_from_another_device_are_brought_here(mnist, monkeypatch):
    sent = []
    monkeypatch.setattr(data.ImageSet, "to", lambda self, place: sent.append(place) or self)
    assert metrics.compare_domains(lambda images, *_: images, mnist.subset(slice(0, 4)))["obeyed"] == 0
    assert sent == ["cpu"]


def test_a_diverged_generator_is_not_compared(mnist):
    class Diverged(torch.nn.Module):
        classes = 5

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor(float("nan")))

        def forward(self, images, labels):
            return self.weight * images

    with pytest.raises(ValueError, match="diverged"):
        metrics.compare_domains(Diverged(), mnist.subset(slice(0, 4)))


def test_it_loads_in_about_a_second():
    """0.9 s on one core. Processor time, which does not count what else runs on the machine."""
    started = time.process_time()
    data.load("digit-domains")
    assert time.process_time() - started < 4


@pytest.mark.parametrize("domain", ["bold", 5, -1])
def test_an_unknown_domain_is_named(digits, domain):
    with pytest.raises(ValueError, match=r"no domain .*; the domains are plain, thin, thick, slanted, inverted"):
        domains.draw(digits, domain)


def test_other_images_are_refused(digits):
    for wrong in (digits.float(), digits[0], digits.expand(-1, 3, -1, -1)):
        with pytest.raises(ValueError, match=r"uint8 images of shape \(N, 1, H, W\) are drawn, not"):
            domains.draw(wrong, "thin")
