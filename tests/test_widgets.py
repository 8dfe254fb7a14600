"""The widgets' Python side: state, pictures, errors. tests/test_browser.py drives them in a page."""

from __future__ import annotations

import base64
import io
import re

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gan_course.data import to_uint8
from gan_course.plots import tile
from gan_course.widgets import LatentExplorer, random_directions, slerp
from gan_course.widgets.raster import (
    BadImagesError,
    ErrorLine,
    checked_images,
    img_tag,
    make_images,
    strips_figure,
    to_png,
)

LATENT_DIM = 6


def smooth(z: torch.Tensor) -> torch.Tensor:
    """Codes (N, 6) to images (N, 1, 4, 6): every code gives another image."""
    rows = torch.linspace(0.5, 1.5, 4, device=z.device)
    return torch.tanh(z[:, None, None, :] * rows[:, None])


def decoded(tag: str) -> np.ndarray:
    """The pixels inside an `<img>`."""
    data = re.search(r'src="data:image/png;base64,([^"]+)"', tag).group(1)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def button(explorer: LatentExplorer, description: str) -> ipywidgets.Button:
    """The button that a learner would click."""
    pending = [explorer.panel]
    while pending:
        widget = pending.pop()
        if isinstance(widget, ipywidgets.Button) and widget.description == description:
            return widget
        pending.extend(getattr(widget, "children", ()))
    raise AssertionError(f"no button {description!r}")


# Codes.


def test_slerp_ends_exactly_at_its_ends():
    generator = torch.Generator().manual_seed(0)
    start, end = torch.randn(2, 5, 7, generator=generator)
    assert torch.equal(slerp(start, end, 0.0), start)
    assert torch.equal(slerp(start, end, 1.0), end)


def test_slerp_keeps_the_norm_and_splits_the_angle():
    start, end = torch.tensor([3.0, 0, 0]), torch.tensor([0, 3.0, 0])
    path = slerp(start, end, torch.linspace(0, 1, 7))
    assert path.shape == (7, 3)
    torch.testing.assert_close(path.norm(dim=1), torch.full((7,), 3.0))
    angles = torch.rad2deg(torch.atan2(path[:, 1], path[:, 0]))
    torch.testing.assert_close(angles, torch.linspace(0, 90, 7))


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0, 0.0])
def test_slerp_between_codes_in_line_is_the_straight_line(factor):
    start = torch.tensor([1.0, 2.0, -1.0])
    end = factor * start
    torch.testing.assert_close(slerp(start, end, 0.25), 0.75 * start + 0.25 * end)


def test_random_directions_are_orthonormal():
    directions = random_directions(3, 10, torch.Generator().manual_seed(1))
    torch.testing.assert_close(directions @ directions.T, torch.eye(3))
    with pytest.raises(ValueError, match="1 to 2 directions, not 3"):
        random_directions(3, 2)


# Pictures.


@pytest.mark.parametrize("channels", [1, 3])
def test_png_decodes_to_the_exact_bytes(channels):
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (channels, 5, 7), dtype=np.uint8))
    values = image.permute(1, 2, 0).squeeze().numpy()
    read = np.asarray(Image.open(io.BytesIO(to_png(image))))
    assert np.array_equal(read, values)
    large = np.asarray(Image.open(io.BytesIO(to_png(image, scale=3))))
    assert np.array_equal(large[1::3, 1::3], values) and large.shape[:2] == (15, 21)
    assert np.array_equal(decoded(img_tag(image, "")), values)


def test_tile_puts_every_image_in_its_place_on_white():
    values = torch.stack([torch.full((3, 2, 4), value) for value in (-1.0, 0.0, -0.5)])
    canvas = tile(values, columns=2, gap=1)
    assert canvas.shape == (3, 5, 9)
    assert (canvas[:, :2, :4] == 0).all() and (canvas[:, :2, 5:] == 128).all() and (canvas[:, 3:, :4] == 64).all()
    assert (canvas[:, 2] == 255).all() and (canvas[:, :, 4] == 255).all() and (canvas[:, 3:, 5:] == 255).all()


def test_img_tag_has_size_alt_text_and_background():
    tag = img_tag(torch.zeros(1, 4, 6, dtype=torch.uint8), 'a "digit" & <b>', scale=10)
    assert 'width="60" height="40"' in tag
    assert 'alt="a &quot;digit&quot; &amp; &lt;b&gt;"' in tag
    assert "image-rendering: pixelated" in tag and "background: #fff" in tag


# What a generator may return.

GOOD = torch.zeros(2, 1, 4, 4)


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        ((GOOD, GOOD), "returned tuple, not a tensor"),
        (GOOD[0], r"shape \(1, 4, 4\) for 2 codes; it must be \(2, C, H, W\)"),
        (GOOD[:1], r"shape \(1, 1, 4, 4\) for 2 codes"),
        (torch.zeros(2, 2, 4, 4), "C = 1 or 3"),
        (torch.zeros(2, 4, 4, 3), "C = 1 or 3"),
        (torch.zeros(2, 1, 0, 4), "shape"),
        (GOOD.to(torch.uint8), "torch.uint8; images must be float"),
        (GOOD.to(torch.complex64), "complex64; images must be float"),
        (torch.full_like(GOOD, torch.nan), "NaN or infinite"),
        (GOOD.clone().index_fill_(3, torch.tensor([1]), torch.inf), "NaN or infinite"),
        (GOOD + 3, r"from 3 to 3; images must lie in \[-1, 1\]"),
        (GOOD - 1.5, "from -1.5 to -1.5"),
    ],
)
def test_images_that_cannot_be_shown_are_named(images, sentence):
    with pytest.raises(BadImagesError, match=sentence):
        checked_images(images, 2)


def test_a_rounding_error_beyond_one_is_no_mistake():
    images = torch.full((1, 3, 2, 2), 1.0078125, dtype=torch.bfloat16)
    assert checked_images(images, 1).dtype == torch.float32


def test_a_network_runs_in_eval_mode_and_gets_its_modes_back():
    network = nn.Sequential(nn.Unflatten(1, (1, 2, 3)), nn.BatchNorm2d(1), nn.Dropout(0.5), nn.Tanh())
    network[2].eval()
    before = network[1].running_mean.clone()
    codes = torch.randn(1, LATENT_DIM)
    first, second = (make_images(network, codes, "cpu") for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(network[1].running_mean, before)
    assert network.training and network[1].training and not network[2].training


# The explorer.


def test_a_slider_moves_the_code_along_its_unit_direction():
    directions = torch.zeros(2, LATENT_DIM)
    directions[0, 1], directions[1, 4] = 5.0, -0.1
    explorer = LatentExplorer(smooth, LATENT_DIM, directions=directions, labels=["one", "two"])
    base = explorer.z
    explorer.sliders[0].value = 1.5
    explorer.sliders[1].value = -2.0
    moved = explorer.z - base
    torch.testing.assert_close(moved, torch.tensor([0, 1.5, 0, 0, 2.0, 0]))
    torch.testing.assert_close(explorer.image, smooth(explorer.z[None])[0])
    assert np.array_equal(decoded(explorer.picture.value), to_uint8(explorer.images)[0].squeeze())
    assert 'alt="Generated image; one +1.5; two -2.0"' in explorer.picture.value
    assert (explorer.sliders[0].min, explorer.sliders[0].max) == (-3, 3)
    assert explorer.sliders[0].continuous_update


def test_reset_brings_back_the_exact_first_picture():
    explorer = LatentExplorer(smooth, LATENT_DIM, seed=4)
    code, picture = explorer.z, explorer.picture.value
    explorer.sliders[2].value = 1.1
    button(explorer, "New random").click()
    explorer.path.value = 40
    explorer.sliders[0].value = -0.7
    assert explorer.picture.value != picture
    button(explorer, "Reset").click()
    assert torch.equal(explorer.z, code)
    assert explorer.picture.value == picture
    assert [slider.value for slider in explorer.sliders] == [0, 0, 0, 0] and explorer.path.value == 0


def test_new_random_takes_another_code_and_leaves_the_sliders():
    explorer = LatentExplorer(smooth, LATENT_DIM)
    explorer.sliders[0].value = 2.0
    seen = [explorer.z]
    for _ in range(3):
        button(explorer, "New random").click()
        assert explorer.sliders[0].value == 2.0
        assert all(not torch.equal(explorer.z, code) for code in seen)
        seen.append(explorer.z)


def test_the_walk_goes_from_a_to_b():
    explorer = LatentExplorer(smooth, LATENT_DIM)
    explorer.sliders[0].value = 1.0
    start = explorer.z
    strip = explorer.strip.value
    button(explorer, "Keep as A").click()
    assert explorer.strip.value != strip
    button(explorer, "New random").click()
    end = explorer.z
    button(explorer, "Keep as B").click()
    explorer.path.value = 52
    assert torch.equal(explorer.z, slerp(start, end, 0.52))
    assert explorer.sliders[0].value == 0  # it was part of A already
    explorer.path.value = 100
    assert torch.equal(explorer.z, end)
    explorer.path.value = 0
    assert torch.equal(explorer.z, start)
    thumbnails = decoded(explorer.strip.value)
    assert np.array_equal(thumbnails[:, :6], to_uint8(smooth(start[None]))[0].squeeze())
    assert np.array_equal(thumbnails[:, -6:], to_uint8(smooth(end[None]))[0].squeeze())


def test_each_event_makes_one_image_and_the_same_code_none():
    batches = []

    def counting(z):
        batches.append(len(z))
        return smooth(z)

    explorer = LatentExplorer(counting, LATENT_DIM)
    del batches[:]
    explorer.sliders[1].value = 0.5
    explorer.path.value = 20
    assert batches == [1, 1]
    explorer.reset()
    explorer.reset()
    assert batches == [1, 1, 1]


def test_several_images_move_alike():
    explorer = LatentExplorer(smooth, LATENT_DIM, images=3)
    base = explorer.codes
    explorer.sliders[0].value = 1.0
    torch.testing.assert_close(explorer.codes - base, explorer.directions[:1].expand(3, -1))
    assert explorer.images.shape == (3, 1, 4, 6)
    assert decoded(explorer.picture.value).shape == (4, 3 * 6 + 2)
    assert torch.equal(explorer.z, explorer.codes[0])


def test_given_codes_are_kept_and_what_is_read_is_a_copy():
    codes = torch.arange(12.0).view(2, 6) / 10
    explorer = LatentExplorer(smooth, LATENT_DIM, codes=codes)
    assert torch.equal(explorer.codes, codes)
    picture = explorer.picture.value
    original = codes.clone()
    for tensor in (explorer.z, explorer.image, explorer.codes, explorer.images, codes):
        tensor.zero_()
    assert torch.equal(explorer.codes, original)
    torch.testing.assert_close(explorer.images, smooth(original))
    explorer.sliders[0].value = 1
    explorer.reset()
    assert explorer.picture.value == picture


def test_the_seed_fixes_everything_and_global_randomness_is_left_alone():
    torch.manual_seed(7)
    state = torch.get_rng_state()
    first, second = (LatentExplorer(smooth, LATENT_DIM, seed=3) for _ in range(2))
    for explorer in (first, second):
        explorer.new_random()
    assert torch.equal(first.z, second.z) and torch.equal(first.directions, second.directions)
    assert not torch.equal(first.z, LatentExplorer(smooth, LATENT_DIM, seed=5).z)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"directions": torch.ones(2, 5)}, r"directions must have shape \(k, 6\), not \(2, 5\)"),
        ({"directions": torch.ones(6)}, "directions must have shape"),
        ({"directions": torch.eye(6)[:2] * torch.tensor([[1.0], [0.0]])}, "length 0 leads nowhere"),
        ({"labels": ["only one"]}, "4 directions need as many labels, not 1"),
        ({"codes": torch.ones(1, 3)}, "codes must have shape"),
        ({"images": 0}, r"codes must have shape \(k, 6\), not \(0, 6\)"),
    ],
)
def test_wrong_arguments_are_named(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        LatentExplorer(smooth, LATENT_DIM, **arguments)


def test_a_generator_that_fails_at_once_fails_the_cell():
    with pytest.raises(BadImagesError, match="from 0 to 9"):
        LatentExplorer(lambda z: torch.linspace(0, 9, 4).view(1, 1, 2, 2), LATENT_DIM)


# Errors.


def raising_beyond_one(z: torch.Tensor) -> torch.Tensor:
    if z[0, 0] > 1:
        raise RuntimeError("code <z> too far\nand a second line")
    return smooth(z)


@pytest.fixture
def fragile() -> LatentExplorer:
    """An explorer at the origin whose only slider raises beyond 1."""
    directions = torch.eye(LATENT_DIM)[:1]
    return LatentExplorer(raising_beyond_one, LATENT_DIM, directions=directions, codes=torch.zeros(1, LATENT_DIM))


def test_an_error_in_a_callback_is_shown_and_the_picture_stays(fragile):
    fragile.sliders[0].value = 1.0
    picture, code = fragile.picture.value, fragile.z
    fragile.sliders[0].value = 1.1
    message = fragile.error_line.widget.value
    assert 'role="alert"' in message
    assert "RuntimeError: code &lt;z&gt; too far" in message and "second line" not in message
    assert isinstance(fragile.error, RuntimeError)
    assert fragile.picture.value == picture and torch.equal(fragile.z, code)
    fragile.sliders[0].value = 0.9
    assert fragile.error_line.widget.value == "" and fragile.error is None
    assert fragile.picture.value != picture


@pytest.mark.parametrize("description", ["New random", "Keep as A", "Keep as B"])
def test_an_error_behind_a_button_is_shown_and_changes_nothing(description):
    works = True
    explorer = LatentExplorer(lambda z: smooth(z) if works else z, LATENT_DIM)
    before = (explorer.picture.value, explorer.strip.value)
    works = False
    button(explorer, description).click()
    assert "generate returned shape" in explorer.error_line.widget.value
    assert (explorer.picture.value, explorer.strip.value) == before
    works = True
    explorer.sliders[0].value = 1
    assert explorer.error is None
    explorer.sliders[0].value = 0
    assert explorer.picture.value == before[0]  # the code that failed was not kept


def test_a_plain_sentence_needs_no_name_of_an_exception():
    line = ErrorLine()
    line.guard(lambda _: checked_images(None, 1))({})
    assert ">generate returned NoneType, not a tensor" in line.widget.value
    assert "BadImagesError" not in line.widget.value
    line.guard(lambda _: {}["missing"])({})
    assert "KeyError: &#x27;missing&#x27;" in line.widget.value


def test_an_error_without_text_is_still_named():
    line = ErrorLine()
    line.guard(lambda: [].pop.missing)()
    assert "AttributeError" in line.widget.value
    line.guard(lambda: (_ for _ in ()).throw(ValueError()))()
    assert ">ValueError (" in line.widget.value


# What a notebook shows.


def test_the_last_expression_of_a_cell_shows_the_widget_and_says_something_without_it():
    explorer = LatentExplorer(smooth, LATENT_DIM)
    bundle = explorer._repr_mimebundle_(include=None, exclude=None)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.panel.model_id
    assert bundle["text/plain"].startswith("LatentExplorer: 4 directions in a space of 6 dimensions.")


def test_the_figure_holds_the_same_pictures_and_is_shown_once():
    import matplotlib.pyplot as plt

    explorer = LatentExplorer(smooth, LATENT_DIM, directions=torch.eye(LATENT_DIM)[:2], labels=["up", "down"])
    figure = explorer.figure()
    assert not plt.fignum_exists(figure.number)
    assert [axis.get_ylabel() for axis in figure.axes] == ["up", "down", "A to B"]
    assert "direction" in figure.get_suptitle()
    assert figure.get_facecolor() == (1, 1, 1, 1)
    strips = [np.asarray(axis.images[0].get_array()) for axis in figure.axes]
    centre = to_uint8(explorer.images)[0].squeeze()
    for strip in strips[:2]:
        assert strip.shape == (4, 7 * 6 + 6)
        assert np.array_equal(strip[:, 21:27], centre)
    end = explorer.z + 3 * explorer.directions[1]
    assert np.array_equal(strips[1][:, -6:], to_uint8(smooth(end[None]))[0].squeeze())
    explorer.path.value = 100
    assert np.array_equal(strips[2][:, -6:], to_uint8(explorer.images)[0].squeeze())
    labels = [[text.get_text() for text in axis.get_xticklabels()] for axis in figure.axes]
    assert labels == [
        [],
        ["-3", "-2", "-1", "0", "+1", "+2", "+3"],
        ["0%", "17%", "33%", "50%", "67%", "83%", "100%"],
    ]


def test_the_figure_shows_colour_and_is_not_stretched():
    images = torch.zeros(1, 2, 3, 4, 4)
    images[..., 0, :, :] = 0.2  # low contrast must stay low
    figure = strips_figure(images, ["row"], [["a", "b"]], "title")
    (drawn,) = figure.axes[0].images
    assert np.asarray(drawn.get_array())[0, 0].tolist() == [153, 128, 128]
    grey = strips_figure(images[:, :, :1], ["row"], [["a", "b"]], "title").axes[0].images[0]
    assert grey.get_clim() == (0, 255)
