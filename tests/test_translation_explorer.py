"""The translation explorer's Python side: pairs, pictures of one's own, noise, errors."""

from __future__ import annotations

import datetime
import io

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import data, networks
from gan_course.widgets import TranslationExplorer
from gan_course.widgets.raster import BadImagesError, PlainError
from gan_course.widgets.translation import uploaded


@pytest.fixture
def pairs() -> data.ImagePairs:
    """Five pairs of 16x16: grey i, and what it should become, in colour."""
    inputs = torch.arange(5, dtype=torch.uint8).mul(50)[:, None, None, None].expand(5, 1, 16, 16).contiguous()
    targets = torch.cat([inputs, 255 - inputs, inputs // 2], 1)
    return data.ImagePairs(data.ImageSet(inputs), data.ImageSet(targets, names=list("abcde")), "greys")


def inverted(x: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W) to (N, 3, H, W): light becomes dark."""
    return -x.expand(-1, 3, -1, -1)


def png(colour: str = "red", size: tuple[int, int] = (40, 20)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, "PNG")
    return content.getvalue()


def choose(it: TranslationExplorer, content: bytes, name: str = "mine.png") -> None:
    """What the browser does when a file was chosen."""
    now = datetime.datetime.now(datetime.timezone.utc)
    file = {"name": name, "type": "", "size": len(content), "last_modified": now, "content": memoryview(content)}
    it.upload.set_trait("value", (file,))


def test_the_slider_shows_input_output_and_target_of_its_pair(pairs):
    it = TranslationExplorer(inverted, pairs, scale=1)
    first = it.picture.value
    assert 'alt="Translation of pair 0 of 5, a: input, output, target"' in first and 'width="52"' in first
    it.number.value = 3
    assert it.picture.value != first and "pair 3 of 5, d" in it.picture.value
    assert torch.equal(it.inputs, pairs.inputs.images[3])
    torch.testing.assert_close(it.image, inverted(data.to_float(pairs.inputs.images[3:4]))[0])
    it.reset()
    assert it.number.value == 0 and it.picture.value == first


def test_a_picture_of_ones_own_has_no_target(pairs):
    it = TranslationExplorer(inverted, pairs)
    it.open(png("white"), "white.png")
    assert it.inputs.shape == (1, 16, 16) and (it.inputs == 255).all() and (it.image == -1).all()
    assert 'alt="Translation of white.png: input, output"' in it.picture.value
    assert it.caption.value == "white.png: input → output"
    it.number.value = 1
    assert "pair 1 of 5" in it.picture.value, "the slider leads back"


def test_a_prepared_picture_is_its_own_target(pairs):
    seen = []

    def prepare(pictures):
        seen.append(pictures)
        return 255 - pictures[:, :1]

    it = TranslationExplorer(inverted, pairs, prepare=prepare)
    it.open(png("red", (20, 40)))
    assert seen[0].dtype == torch.uint8 and seen[0].shape == (1, 3, 16, 16)
    assert seen[0][0, :, 5, 5].tolist() == [255, 0, 0] and (it.inputs == 0).all()
    assert "input, output, target" in it.picture.value


def test_a_chosen_file_is_translated_and_can_be_chosen_again(pairs):
    it = TranslationExplorer(inverted, pairs)
    for _ in range(2):
        choose(it, png())
        assert "Translation of mine.png" in it.picture.value and it.error is None and it.upload.value == ()
        it.reset()
        assert "pair 0" in it.picture.value


@pytest.mark.parametrize("content", [b"", b"no picture", png()[:60], b"%PDF-1.7"])
def test_a_bad_file_is_answered_in_one_plain_sentence(pairs, content):
    it = TranslationExplorer(inverted, pairs)
    picture = it.picture.value
    choose(it, content, "<notes>.txt")
    line = it.error_line.widget.value
    assert "&lt;notes&gt;.txt cannot be read as an image: choose a PNG, JPEG or WebP file." in line
    assert 'role="alert"' in line and "Error" not in line and it.picture.value == picture
    assert isinstance(it.error, PlainError)
    choose(it, png())
    assert it.error is None and "mine.png" in it.picture.value


def test_uploads_of_both_ipywidgets_are_read():
    seven = {"a.png": {"metadata": {"name": "a.png"}, "content": b"abc"}}
    eight = ({"name": "a.png", "content": memoryview(b"abc")},)
    assert uploaded(seven) == uploaded(eight) == [("a.png", b"abc")] and uploaded({}) == uploaded(()) == []


def test_noise_is_repeatable_can_be_changed_and_leaves_the_random_numbers_alone(pairs):
    torch.manual_seed(0)
    network = networks.UNetGenerator(16, 1, 3, width=4).train()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    state = torch.get_rng_state()
    it = TranslationExplorer(network, pairs, seed=3)
    first = it.image
    it.number.value = 2
    second = it.image
    it.new_noise()
    assert not torch.equal(it.image, second) and torch.equal(it.inputs, pairs.inputs.images[2])
    assert it._noise_button.layout.display != "none"
    assert TranslationExplorer(inverted, pairs)._noise_button.layout.display == "none", "it has no noise to change"
    it.reset()
    assert torch.equal(it.image, first) and torch.equal(torch.get_rng_state(), state) and network.training


def test_the_figure_has_three_rows(pairs):
    it = TranslationExplorer(inverted, pairs)
    figure = it.figure(columns=3)
    assert [axis.get_ylabel() for axis in figure.axes] == ["input", "output", "target"]
    assert [text.get_text() for text in figure.axes[-1].get_xticklabels()] == ["0", "2", "4"]
    output, target = (np.asarray(axis.images[0].get_array()) for axis in figure.axes[1:])
    assert (output[:, 17:33] == 155).all() and (target[:, 17:33] == [100, 155, 50]).all()


def test_what_is_no_pair_is_refused(pairs):
    for nothing in (pairs.unpaired(), pairs.subset(slice(0))):
        with pytest.raises(ValueError, match="needs pairs, at least one"):
            TranslationExplorer(inverted, nothing)
    assert TranslationExplorer(inverted, pairs.subset([2])).number.value == 0


def test_a_generator_that_fails_at_once_fails_the_cell(pairs):
    with pytest.raises(BadImagesError, match="from 9 to 9"):
        TranslationExplorer(lambda x: torch.full((len(x), 3, 16, 16), 9.0), pairs)


def test_an_error_in_a_callback_is_shown_and_the_picture_stays(pairs):
    def fragile(x):
        if x.max() > 0.5:
            raise RuntimeError("too light")
        return inverted(x)

    it = TranslationExplorer(fragile, pairs)
    picture = it.picture.value
    it.number.value = 4
    assert "RuntimeError: too light" in it.error_line.widget.value and it.picture.value == picture
    it.number.value = 1
    assert it.error is None and it.picture.value != picture


def test_the_last_expression_of_a_cell_shows_the_widget(pairs):
    it = TranslationExplorer(inverted, pairs)
    bundle = it._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == it.panel.model_id
    assert bundle["text/plain"].startswith("TranslationExplorer: 5 pairs of greys.")
