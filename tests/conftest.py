"""What several test files share."""

from __future__ import annotations

import contextlib
import dataclasses
import os

import pytest
import torch

from gan_course import data, methods, networks


@pytest.fixture
def squares() -> data.ImageSet:
    """Sixty-four 28x28 images, each a bright square somewhere: enough to train on for a few steps."""
    images = torch.zeros(64, 1, 28, 28, dtype=torch.uint8)
    for i in range(64):
        images[i, 0, i % 8 * 2 : i % 8 * 2 + 10, i // 8 * 2 : i // 8 * 2 + 10] = 255
    return data.ImageSet(images, torch.arange(64) % 4, list("abcd"), name="squares")


@pytest.fixture
def tiny_recipe() -> methods.Recipe:
    """A DCGAN so small that a step takes milliseconds, with an average and a decaying learning rate."""
    return dataclasses.replace(
        methods.RECIPES["dcgan"],
        name="tiny",
        generator=lambda shape: networks.DCGANGenerator(8, shape[1], shape[0], width=4),
        discriminator=lambda shape: networks.DCGANDiscriminator(shape[1], shape[0], width=4),
        batch_size=8,
        ema_decay=0.9,
        learning_rate_decay=True,
    )


@pytest.fixture(scope="module")
def open_in_lab(tmp_path_factory):
    """A function that makes a notebook of the given cells, runs it in JupyterLab, and returns the page."""
    # Here and not above: tests without a browser need none of it.
    from jupyter_server import NoChromiumError, browser_page, jupyter_lab, open_notebook, run_all, write_notebook

    with contextlib.ExitStack() as stack:

        def open_cells(cells: list[str]):
            folder = tmp_path_factory.mktemp("notebooks")
            write_notebook(folder / "widgets.ipynb", cells)
            try:
                page = stack.enter_context(browser_page(height=1600))
            except NoChromiumError as error:
                if os.environ.get("CI"):
                    pytest.fail(f"CI skips nothing: {error}")
                pytest.skip(str(error))
            address = stack.enter_context(jupyter_lab(folder))
            open_notebook(page, address, "widgets.ipynb")
            run_all(page)
            return page

        yield open_cells
