"""The class explorer's Python side: classes, style, pictures, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gan_course import networks
from gan_course.data import to_uint8
from gan_course.widgets import ClassExplorer
from gan_course.widgets.raster import BadImagesError

NAMES = ["cat", "dog", "ice cream"]


def smooth(z: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Codes (N, 6) and shares (N, 3) to images (N, 1, 3, 6): a row a class, every code another image."""
    return torch.tanh(shares[:, None, :, None] * (1 + z[:, None, None, :]))


def explorer(**more) -> ClassExplorer:
    return ClassExplorer(smooth, 6, NAMES, **more)


def test_the_class_slider_changes_the_class_and_holds_the_code():
    it = explorer(seed=3)
    z = it.z
    torch.testing.assert_close(it.image, smooth(z[None], torch.eye(3)[:1])[0])
    before = it.picture.value
    it.start.value = "ice cream"
    assert torch.equal(it.z, z) and it.shares.tolist() == [0, 0, 1] and it.picture.value != before
    torch.testing.assert_close(it.image, smooth(z[None], torch.eye(3)[2:])[0])
    assert 'alt="Generated image: ice cream"' in it.picture.value


def test_the_walk_mixes_two_classes_and_holds_the_code():
    it = explorer()
    z = it.z
    it.end.value, it.amount.value = "ice cream", 28
    torch.testing.assert_close(it.shares, torch.tensor([0.72, 0.0, 0.28]))
    assert torch.equal(it.z, z) and "cat, 28% ice cream" in it.picture.value
    it.amount.value = 100
    assert it.shares.tolist() == [0, 0, 1]


def test_new_style_keeps_the_classes_and_reset_goes_back():
    it = explorer()
    first = it.picture.value, it.strip.value
    it.start.value, it.amount.value = "dog", 40
    z, shares = it.z, it.shares
    it.new_style()
    assert not torch.equal(it.z, z) and torch.equal(it.shares, shares)
    it.reset()
    assert (it.picture.value, it.strip.value) == first
    assert (it.start.value, it.end.value, it.amount.value) == ("cat", "dog", 0)


def test_a_code_is_taken_and_global_random_numbers_are_left_alone():
    state = torch.get_rng_state()
    assert torch.equal(explorer(code=torch.arange(6)).z, torch.arange(6.0))
    assert torch.equal(explorer(seed=4).z, explorer(seed=4).z)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_network_runs_in_eval_mode_and_gets_its_mode_back():
    generator = networks.ConditionalGenerator(6, 3, width=4).train()
    before = generator.layers[2].running_mean.clone()
    it = ClassExplorer(generator, 6, NAMES)
    it.amount.value = 52
    assert generator.training and torch.equal(generator.layers[2].running_mean, before)
    generator.eval()
    with torch.no_grad():
        wanted = generator(it.z[None], it.shares[None])[0]
    torch.testing.assert_close(it.image, wanted)


def test_the_figure_has_every_class_in_each_style_and_the_walk():
    it = explorer()
    it.end.value = "ice cream"
    figure = it.figure(styles=2)
    strips = [np.asarray(axis.images[0].get_array()) for axis in figure.axes]
    assert [axis.get_ylabel() for axis in figure.axes] == ["style 1", "style 2", "cat\nto ice cream"]
    labels = [[text.get_text() for text in axis.get_xticklabels()] for axis in figure.axes]
    assert labels == [[], ["cat", "dog", "ice\ncream"], ["0%", "50%", "100%"]]
    classes = to_uint8(smooth(it.z.expand(3, -1), torch.eye(3)))[:, 0]
    for i, (left, right) in enumerate([(0, 6), (7, 13), (14, 20)]):
        assert np.array_equal(strips[0][:, left:right], classes[i])
    assert np.array_equal(strips[2][:, :6], classes[0]) and np.array_equal(strips[2][:, 14:20], classes[2])
    assert not np.array_equal(strips[0], strips[1])


@pytest.mark.parametrize("names", [["one"], ["a", "a"], []])
def test_too_few_classes_are_named(names):
    with pytest.raises(ValueError, match="two classes or more"):
        ClassExplorer(smooth, 6, names)


def test_a_code_of_another_length_is_named():
    with pytest.raises(ValueError, match=r"code must have shape \(k, 6\), not \(1, 5\)"):
        explorer(code=torch.zeros(5))


def test_a_generator_that_fails_at_once_fails_the_cell():
    with pytest.raises(BadImagesError, match="from 9 to 9"):
        ClassExplorer(lambda z, shares: torch.full((len(z), 1, 2, 2), 9.0), 6, NAMES)


def test_an_error_in_a_callback_is_shown_and_the_picture_stays():
    def fragile(z, shares):
        if shares[0, 1] > 0.5:
            raise RuntimeError("no dogs here")
        return smooth(z, shares)

    it = ClassExplorer(fragile, 6, NAMES)
    picture, shares = it.picture.value, it.shares
    it.start.value = "dog"
    assert "RuntimeError: no dogs here" in it.error_line.widget.value and 'role="alert"' in it.error_line.widget.value
    assert it.picture.value == picture and torch.equal(it.shares, shares) and isinstance(it.error, RuntimeError)
    it.start.value = "ice cream"
    assert it.error is None and it.picture.value != picture


def test_the_last_expression_of_a_cell_shows_the_widget():
    it = explorer()
    bundle = it._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == it.panel.model_id
    assert bundle["text/plain"].startswith("ClassExplorer: 3 classes, codes of 6 numbers.")
