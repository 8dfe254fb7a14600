"""The damage panel's Python side: damage, numbers, pictures, errors."""

from __future__ import annotations

import pytest
import torch

from gan_course import damage, data, metrics
from gan_course.plots import tile
from gan_course.widgets import DamagePanel


def images(n: int, seed: int, labels: bool = True) -> data.ImageSet:
    pixels = torch.randint(256, (n, 1, 8, 8), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)
    return data.ImageSet(pixels, torch.arange(n) % 4 if labels else None, list("abcd"))


def pixels(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(1).float() / 255


def panel(**more) -> DamagePanel:
    return DamagePanel(images(40, 0), images(30, 1), pixels, **more)


def test_it_starts_without_damage_and_shows_the_numbers():
    it = panel()
    assert torch.equal(it.images, images(40, 0).images) and it.numbers == it.undamaged
    fair = metrics.frechet_distance(pixels(images(30, 1).images), pixels(images(40, 0).images))
    assert it.numbers["FD"] == pytest.approx(fair)
    assert set(it.numbers) == {"FD", "KD", "precision", "recall", "density", "coverage"}
    assert "Samples without damage" in it.picture.value and f"<b>{fair:.3f}</b>" in it.table.value


@pytest.mark.parametrize("kind", damage.DAMAGES)
def test_the_slider_spoils_and_judges(kind):
    it = panel(seed=4)
    it.kind.value = kind
    before = it.picture.value, it.table.value
    it.strength.value = 50
    wanted = damage.DAMAGES[kind](images(40, 0).images, 0.5, labels=images(40, 0).labels, seed=4)
    assert torch.equal(it.images, wanted) and it.numbers["FD"] != it.undamaged["FD"]
    assert f"damage: {kind}, 50 %" in it.picture.value
    assert it.picture.value != before[0] and it.table.value != before[1] and it.error is None
    it.reset()
    assert (it.picture.value, it.table.value) == before and it.kind.value == kind and it.strength.value == 0


def test_without_labels_no_classes_can_be_dropped():
    it = DamagePanel(images(20, 0, labels=False), images(20, 1), pixels)
    assert "classes dropped" not in it.kind.options and len(it.kind.options) == len(damage.DAMAGES) - 1


def test_other_numbers_can_be_measured():
    it = panel(measure=lambda real, fake: {"shift <b>": (real.mean() - fake.mean()).item()})
    assert list(it.numbers) == ["shift <b>"] and "shift &lt;b&gt;" in it.table.value


def test_the_figure_has_a_row_for_each_damage():
    figure = panel().figure(steps=3, columns=2)
    assert len(figure.axes) == 3 * len(damage.DAMAGES)
    assert [axis.get_title(loc="left") for axis in figure.axes[::3]] == list(damage.DAMAGES)
    distances, shares = figure.axes[1:3]
    assert [line.get_label() for line in distances.lines] == ["FD", "KD"]
    assert [line.get_label() for line in shares.lines] == ["precision", "recall", "density", "coverage"]
    assert distances.lines[0].get_xdata().tolist() == [0, 50, 100]


@pytest.mark.parametrize("steps", [2, 4, 5])
def test_the_pictures_have_the_strengths_that_stand_below_them(steps):
    axis = panel().figure(steps=steps, columns=3).axes[0]  # of the first damage
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0 %", "50 %", "100 %"]
    page = torch.as_tensor(axis.images[0].get_array())
    width = 3 * 8 + 2  # three images and the gaps between them
    for i, strength in enumerate((0.0, 0.5, 1.0)):
        wanted = tile(damage.blur(images(40, 0).images[:6], strength), 3, gap=1)[0]
        assert torch.equal(page[:, i * (width + 6) : i * (width + 6) + width], wanted)


def test_the_numbers_say_what_they_are_of():
    it = panel()
    assert it.basis == "40 samples against 30" and ">40 samples against 30</caption>" in it.table.value

    class Named:
        name = "<our> features"
        __call__ = staticmethod(pixels)

    it = DamagePanel(images(40, 0), images(30, 1), Named())
    assert ">40 samples against 30, &lt;our&gt; features</caption>" in it.table.value
    assert it.figure(steps=2).get_suptitle() == "40 samples against 30, <our> features"


def test_an_error_is_shown_and_the_picture_stays():
    def fragile(x):
        if (x == x[0]).all():
            raise RuntimeError("all <alike>")
        return pixels(x)

    it = DamagePanel(images(40, 0), images(30, 1), fragile)
    it.kind.value = "one image repeated"
    picture, numbers = it.picture.value, it.numbers
    it.strength.value = 100
    assert "RuntimeError: all &lt;alike&gt;" in it.error_line.widget.value and isinstance(it.error, RuntimeError)
    assert it.picture.value == picture and it.numbers == numbers
    it.strength.value = 50
    assert it.error is None and it.picture.value != picture


def test_too_few_images_are_named_and_the_last_expression_shows_it():
    with pytest.raises(ValueError, match="At least 2 samples"):
        DamagePanel(images(1, 0), images(9, 1), pixels)
    bundle = panel()._repr_mimebundle_()
    assert bundle["text/plain"].startswith("DamagePanel: 40 samples, 6 kinds of damage.")
