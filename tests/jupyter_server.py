"""JupyterLab and Chromium for the browser tests and for benchmarks/widget_latency.py.

with jupyter_lab(folder) as address, browser_page() as page:
    open_notebook(page, address, "explorer.ipynb")
    run_all(page)
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

REPOSITORY = Path(__file__).resolve().parents[1]
START_SECONDS = 60
RUN_SECONDS = 60
QUIET_CHROMIUM = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoChromiumError(RuntimeError):
    """No browser was found; the message says where one was looked for."""


def write_notebook(path: Path, cells: list[str]) -> None:
    """Write a notebook of code cells for the kernel `python3`."""
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
        "cells": [
            {
                "id": f"cell-{number}",
                "cell_type": "code",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": source,
            }
            for number, source in enumerate(cells)
        ],
    }
    path.write_text(json.dumps(notebook), encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment(private: Path) -> dict[str, str]:
    """The environment of a server that knows nothing of this user's Jupyter settings."""
    config = private / "config"
    (config / "labconfig").mkdir(parents=True)
    disabled = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "labconfig" / "page_config.json").write_text(json.dumps(disabled))
    own = {
        "JUPYTER_CONFIG_DIR": config,
        "JUPYTER_DATA_DIR": private / "data",
        "JUPYTER_RUNTIME_DIR": private / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": private / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": private / "workspaces",
        "IPYTHONDIR": private / "ipython",
    }
    search = [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        **{name: str(folder) for name, folder in own.items()},
        "PYTHONPATH": os.pathsep.join(filter(None, search)),
        "OMP_NUM_THREADS": "1",
    }


def _wait_until_up(server: subprocess.Popen, address: str, token: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{address}/api/status?token={token}", timeout=5).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not come up in {START_SECONDS} s:\n{log.read_text()[-3000:]}")


def _stop(server: subprocess.Popen) -> None:
    """End the server and its kernels: politely, then for good."""
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(timeout=10)


@contextlib.contextmanager
def jupyter_lab(folder: Path) -> Iterator[str]:
    """Run a JupyterLab of this Python over `folder`; gives the address of a notebook, with `{}` for its name.

    Raises:
        RuntimeError: it did not come up; the message holds the end of its log.
    """
    with tempfile.TemporaryDirectory(prefix="jupyter-", ignore_cleanup_errors=True) as name:
        private, port, token = Path(name), free_port(), secrets.token_hex(16)
        options = [
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder}",
            f"--IdentityProvider.token={token}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ]
        log = private / "log"
        with log.open("w") as output:
            server = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *options],
                env=_environment(private),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                _wait_until_up(server, f"http://127.0.0.1:{port}", token, log)
                yield f"http://127.0.0.1:{port}/lab/tree/{{}}?token={token}&reset"
            finally:
                _stop(server)


def find_chromium() -> str | None:
    """A Chromium's path: GAN_COURSE_CHROMIUM, or one on PATH; None leaves it to playwright's own."""
    if named := os.environ.get("GAN_COURSE_CHROMIUM"):
        return named
    names = ("chromium", "google-chrome", "chromium-browser")
    return next((path for path in map(shutil.which, names) if path), None)


@contextlib.contextmanager
def browser_page(width: int = 1280, height: int = 800) -> Iterator[Page]:
    """Open a page in a headless Chromium.

    Raises:
        NoChromiumError: there is none, or playwright is not installed.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise NoChromiumError("playwright is not installed (requirements-dev.txt has it).") from error
    with sync_playwright() as playwright:
        path = find_chromium()
        if path is None and not Path(playwright.chromium.executable_path).exists():
            raise NoChromiumError(
                "no Chromium: install one, or set GAN_COURSE_CHROMIUM to the path of a Chromium or Chrome."
            )
        try:
            browser = playwright.chromium.launch(executable_path=path, args=list(QUIET_CHROMIUM), timeout=30_000)
        except Error as error:
            raise NoChromiumError(f"the Chromium at {path} does not start: {error}") from error
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(15_000)
            yield page
        finally:
            browser.close()


def open_notebook(page: Page, address: str, name: str) -> None:
    """Open a notebook in JupyterLab, with the side bar closed, and wait for its kernel."""
    page.goto(address.format(name), timeout=45_000)
    page.wait_for_function("window.jupyterapp && window.jupyterapp.shell.currentWidget", timeout=45_000)
    page.evaluate("window.jupyterapp.restored.then(() => null)")
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status === 'idle'",
        timeout=45_000,
    )
    page.evaluate("window.jupyterapp.shell.collapseLeft()")


def run_all(page: Page) -> None:
    """Run every cell and wait until the last has ended.

    Raises:
        AssertionError: a cell ended with an error; the message holds its output.
    """
    page.evaluate(
        """seconds => Promise.race([
            window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => null),
            new Promise((_, reject) => setTimeout(() => reject('cells ran too long'), 1000 * seconds)),
        ])""",
        RUN_SECONDS,
    )
    failed = page.evaluate(
        """window.jupyterapp.shell.currentWidget.content.widgets
            .flatMap(cell => cell.model.sharedModel.outputs ?? [])
            .filter(output => output.output_type === 'error')
            .map(output => output.ename + ': ' + output.evalue)"""
    )
    assert not failed, f"a cell failed: {failed}"


def ask_kernel(page: Page, expression: str) -> str:
    """The `repr` of a Python expression in the open notebook's kernel.

    Raises:
        AssertionError: the expression raised.
    """
    answer = page.evaluate(
        """expression => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute(
            {code: '', silent: true, user_expressions: {answer: expression}}
        ).done.then(reply => reply.content.user_expressions.answer)""",
        expression,
    )
    assert answer["status"] == "ok", f"{expression}: {answer.get('ename')}: {answer.get('evalue')}"
    return answer["data"]["text/plain"]


class WidgetCell:
    """A cell of an open notebook whose output is a widget with a picture.

    Args:
        cell_number: counted from 0.
        alt: how the alt text of the picture begins.
    """

    def __init__(self, page: Page, cell_number: int, alt: str) -> None:
        from playwright.sync_api import expect

        self.page, self.expect = page, expect
        self.cell = page.locator(".jp-CodeCell").nth(cell_number)
        self.image = self.cell.locator(f'img[alt^="{alt}"]')
        self.sliders = self.cell.get_by_role("slider")
        self.alert = self.cell.get_by_role("alert")

    def press(self, slider_number: int, *keys: str) -> None:
        """Focus a slider, and press keys."""
        self.sliders.nth(slider_number).focus()
        for key in keys:
            self.page.keyboard.press(key)

    def src(self) -> str:
        return self.image.get_attribute("src")

    def click(self, name: str) -> None:
        self.cell.get_by_role("button", name=name, exact=True).click()

    def expect_alt(self, alt: str) -> None:
        self.expect(self.image).to_have_attribute("alt", alt)

    def expect_src(self, src: str) -> None:
        self.expect(self.image).to_have_attribute("src", src)

    def expect_other_src(self, src: str) -> None:
        self.expect(self.image).not_to_have_attribute("src", src)
