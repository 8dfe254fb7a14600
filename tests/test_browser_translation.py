"""The translation explorer as a learner meets it: JupyterLab, a real browser, the keyboard, and files to upload."""

from __future__ import annotations

import io

import pytest
from jupyter_server import WidgetCell
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.timeout(100), pytest.mark.xdist_group("browser")]

CELL = """
import torch
from gan_course import data, networks
from gan_course.widgets import TranslationExplorer

torch.manual_seed(0)
network = networks.UNetGenerator(16, 1, 3, width=4)
for parameter in network.parameters():
    torch.nn.init.normal_(parameter, std=0.3)
inputs = torch.arange(3, dtype=torch.uint8).mul(100)[:, None, None, None].expand(3, 1, 16, 16).contiguous()
targets = torch.cat([inputs, 255 - inputs, inputs // 2], 1)

def generate(x):
    if x.max() > 0.5:
        raise RuntimeError("no <white> here")
    return network(x)

TranslationExplorer(generate, data.ImagePairs(data.ImageSet(inputs), data.ImageSet(targets), "greys"))
"""


class Explorer(WidgetCell):
    """The explorer of one cell in an open page."""

    def __init__(self, page) -> None:
        super().__init__(page, 0, "Translation of")

    def upload(self, name: str, content: bytes) -> None:
        """Choose a file, as a learner does behind the button."""
        with self.page.expect_file_chooser() as chooser:
            self.cell.get_by_role("button", name="Your picture").click()
        chooser.value.set_files(files=[{"name": name, "mimeType": "", "buffer": content}])


@pytest.fixture(scope="module")
def page(open_in_lab):
    """A notebook with the explorer, run in JupyterLab."""
    return open_in_lab([CELL])


@pytest.fixture(scope="module")
def first_src(page):
    """The picture before anything was touched."""
    return Explorer(page).src()


@pytest.fixture
def explorer(page, first_src):
    """The explorer, reset."""
    explorer = Explorer(page)
    explorer.click("Reset")
    explorer.expect_src(first_src)
    return explorer


def grey_png() -> bytes:
    content = io.BytesIO()
    Image.new("L", (30, 50), 40).save(content, "PNG")
    return content.getvalue()


def test_the_slider_moved_by_the_keyboard_shows_another_pair(explorer, first_src):
    explorer.press(0, "ArrowRight")
    explorer.expect_alt("Translation of pair 1 of 3: input, output, target")
    explorer.expect_other_src(first_src)
    explorer.press(0, "ArrowLeft")
    explorer.expect_src(first_src)


def test_other_noise_and_back(explorer, first_src):
    explorer.click("Other noise")
    explorer.expect_other_src(first_src)
    explorer.click("Reset")
    explorer.expect_src(first_src)


def test_a_picture_of_ones_own_and_the_same_file_again(explorer, first_src):
    for _ in range(2):
        explorer.upload("mine.png", grey_png())
        explorer.expect_alt("Translation of mine.png: input, output")
        explorer.expect_other_src(first_src)
        explorer.click("Reset")
        explorer.expect_src(first_src)


def test_a_bad_file_is_answered_and_the_picture_stays(explorer, first_src):
    explorer.upload("notes.txt", b"no picture")
    explorer.expect(explorer.alert).to_contain_text("notes.txt cannot be read as an image: choose a PNG")
    explorer.expect_src(first_src)
    explorer.upload("mine.png", grey_png())
    explorer.expect(explorer.alert).to_have_count(0)
    explorer.expect_alt("Translation of mine.png: input, output")


def test_an_error_is_shown_and_the_picture_stays(explorer):
    explorer.press(0, "ArrowRight")
    explorer.expect_alt("Translation of pair 1 of 3: input, output, target")
    last = explorer.src()
    explorer.press(0, "ArrowRight")
    explorer.expect(explorer.alert).to_contain_text("RuntimeError: no <white> here")
    explorer.expect_src(last)
    explorer.press(0, "ArrowLeft")
    explorer.expect(explorer.alert).to_have_count(0)
