"""Static figures: what stands where."""

import numpy as np
import pytest
import torch

from gan_course import plots


def test_strips_have_each_image_and_name_in_its_place():
    dark, light = torch.zeros(3, 1, 8, 6, dtype=torch.uint8), torch.ones(3, 1, 8, 6)  # uint8, and float in [-1, 1]
    dark[1] = 100
    figure = plots.strips({"dark": dark, "light": light}, columns=["a", "b", "c"])
    (axis,) = figure.axes
    page = np.asarray(axis.images[0].get_array())
    for row, values in enumerate(((0, 100, 0), (255, 255, 255))):
        for column, value in enumerate(values):
            assert (page[10 * row : 10 * row + 8, 8 * column : 8 * column + 6] == value).all()
    places = {text.get_text(): text.get_position() for text in axis.texts}
    assert list(places) == ["dark", "light", "a", "b", "c"]
    assert places["dark"] == (-1, 4) and places["light"] == (-1, 14)
    assert places["a"][0] == 3 and places["c"][0] == 19 and all(places[name][1] < 0 for name in "abc")


@pytest.mark.parametrize("other", [(2, 1, 8, 6), (3, 1, 6, 6), (3, 3, 8, 6)])
def test_strips_refuse_rows_that_do_not_fit(other):
    with pytest.raises(ValueError, match="Rows of images of one shape"):
        plots.strips({"a": torch.zeros(3, 1, 8, 6), "b": torch.zeros(other)})


def test_strips_without_rows_say_so():
    with pytest.raises(ValueError, match="Rows of images"):
        plots.strips({})
