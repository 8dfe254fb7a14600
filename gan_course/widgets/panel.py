"""What every widget with controls shares: its panel, its buttons, and the red line in which an error is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import ipywidgets

if TYPE_CHECKING:
    from gan_course.widgets.raster import ErrorLine


class Panel:
    """The base of a widget. The last expression of a cell shows it.

    Attributes:
        panel: the box that holds all parts; a subclass makes it.
        error_line: guards its callbacks and shows what went wrong in them; a subclass makes it.
    """

    panel: ipywidgets.Box
    error_line: ErrorLine
    _quiet = False  # while it is set, the sliders' callbacks draw nothing

    @property
    def error(self) -> Exception | None:
        """The exception shown in red, or None; `raise explorer.error` gives its traceback."""
        return self.error_line.error

    def show(self) -> None:
        """Display it, from the middle of a cell."""
        from IPython.display import display

        display(self)

    def _set(self, controls: Iterable[ipywidgets.Widget], values: Iterable) -> None:
        """Give controls their values without drawing an image for each."""
        self._quiet = True
        try:
            for control, value in zip(controls, values, strict=True):
                control.value = value
        finally:
            self._quiet = False

    def _button(self, description: str, action: Callable[[], None], tooltip: str) -> ipywidgets.Button:
        button = ipywidgets.Button(description=description, tooltip=tooltip, layout={"width": "auto"})
        button.on_click(self.error_line.guard(lambda _: action()))
        return button

    def _repr_mimebundle_(self, **_: object) -> dict:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.panel.model_id}
        return {"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view}


def with_tooltip(control: ipywidgets.Widget) -> ipywidgets.Widget:
    """The control, with its description as its tooltip in ipywidgets 8, which otherwise shows the word null."""
    if control.has_trait("tooltip"):
        control.tooltip = control.description
    return control
