"""What CI refuses in notebooks/, each as a plain sentence."""

import re
from html.parser import HTMLParser
from pathlib import Path

from tools.notebooks.course import LessonError
from tools.notebooks.outputs import broken_seal, code_cells, has_error, read_notebook, written

MAX_BYTES = 3_000_000
BUILD = "python tools/build_notebooks.py"
SOMEBODYS_HOME = r"/home/\w|/Users/\w|[A-Z]:\\+Users\\"


def problems(course, name, build):
    """All that is wrong with a lesson's notebook; `build(course, name)` makes what should be there."""
    path = course.notebook(name)
    try:
        wanted = build(course, name).notebook
        stored = read_notebook(path)
    except LessonError as error:
        return [str(error)]
    if stored is None:
        return [f"{name}: there is no notebook; run {BUILD} {name} --execute."]
    found = drift(stored, wanted, path.read_text(encoding="utf-8"), name)
    if "widgets" in stored.metadata:
        found.append("metadata.widgets is there, and GitHub refuses to show the notebook.")
    if path.stat().st_size > MAX_BYTES:
        found.append(f"{path.stat().st_size / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:.0f} MB are allowed.")
    for number, cell in enumerate(code_cells(stored.cells), 1):
        label = f"code cell {number} ({cell.source.splitlines()[0] if cell.source else ''!r})"
        found += [f"{label} {problem}" for problem in cell_problems(cell, course)]
    return [f"{name}: {problem}" for problem in found]


def drift(stored, wanted, text, name):
    """How the notebook differs from what the build makes; at most one sentence."""
    if text == written(wanted):
        return []
    edit = f"edit lessons/{name}.py only, then run {BUILD} {name}."
    for number, (old, new) in enumerate(zip(stored.cells, wanted.cells, strict=False), 1):
        if (old.cell_type, old.source) != (new.cell_type, new.source):
            return [f"cell {number} is not what the lesson builds; {edit}"]
    if len(stored.cells) != len(wanted.cells):
        return [f"it has {len(stored.cells)} cells, the lesson builds {len(wanted.cells)}; {edit}"]
    if broken_seal(stored):
        return [f"its outputs are not those of a run; {BUILD} {name} --execute makes them afresh."]
    return [f"its metadata, cell ids or layout are not what the build writes; run {BUILD} {name}."]


def cell_problems(cell, course):
    """What is wrong with one stored code cell."""
    if cell.execution_count is None:
        return ["has no stored execution; run with --execute."]
    found = []
    if has_error(cell):
        found.append("stores an error.")
    if any(map(lacks_alt, cell.outputs)):
        found.append("shows an image without alt text.")
    found += private_paths(cell, (course.root, Path.home()))
    return found


def lacks_alt(output):
    """Whether an output shows a picture without a text for those who cannot see it."""
    data, metadata = output.get("data", {}), output.get("metadata", {})
    pictures = [mime for mime in data if mime.startswith("image/")]
    return images_without_alt(data.get("text/html", "")) or not all(metadata.get(m, {}).get("alt") for m in pictures)


def private_paths(cell, places):
    """A sentence if an output names a folder of `places`, or anybody's home."""
    places = [re.escape(str(place)) + r"(?![\w-])" for place in places if len(place.parts) > 1]
    private = re.compile(rf"(?<![\w.])({'|'.join([*places, SOMEBODYS_HOME])})")
    for output in cell.outputs:
        for text in texts_of(output):
            path = private.search(re.sub(r"base64,[A-Za-z0-9+/=\s]+", "", text))  # pictures inside HTML
            if path:
                return [f"stores a path of the machine that ran it ('{path[0]}')."]
    return []


def texts_of(output):
    """The texts in an output, images left out."""
    yield output.get("text", "")
    for mime, value in output.get("data", {}).items():
        if isinstance(value, str) and (not mime.startswith("image/") or mime == "image/svg+xml"):
            yield value


class ImageCounter(HTMLParser):
    """Counts <img> tags that say nothing to someone who cannot see them."""

    bare = 0

    def handle_starttag(self, tag, attributes):
        if tag == "img" and not (dict(attributes).get("alt") or "").strip():
            self.bare += 1


def images_without_alt(text):
    if "<img" not in text.lower():
        return 0
    counter = ImageCounter()
    counter.feed(text)
    return counter.bare


def leftovers(course, names):
    """Notebooks that no lesson makes."""
    stored = sorted(path.stem for path in course.notebooks.glob("*.ipynb"))
    return [
        f"{name}: notebooks/{name}.ipynb has no lesson; delete it." for name in stored if name not in names
    ]
