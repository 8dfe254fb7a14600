"""Stored outputs: cleaned after a run, sealed, and carried over only while they are still true."""

import hashlib
import json
import re

import nbformat

from tools.notebooks.course import LessonError, fill

WIDGET = "application/vnd.jupyter.widget-view+json"


def code_cells(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


def read_notebook(path):
    """The notebook at `path`; None if there is none."""
    if not path.exists():
        return None
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
        return notebook
    except Exception:  # JSON, schema, a newer format: to the author all the same
        raise LessonError(
            f"{path.stem}: notebooks/{path.name} is not a valid notebook; delete it and build."
        ) from None


def written(notebook):
    """The text of a notebook file: the same bytes for the same notebook."""
    return nbformat.writes(notebook) + "\n"


def record_of(notebook):
    """What the last run left in the metadata: profile, seconds, digest, hardware, seal, address."""
    record = notebook.metadata.get("gan_course") if notebook else None
    return dict(record) if isinstance(record, dict) else {}


def seal(notebook):
    """A digest of all outputs, taken when they are stored."""
    stored = [[cell.execution_count, cell.outputs] for cell in code_cells(notebook.cells)]
    return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()[:16]


def broken_seal(notebook):
    """Whether the outputs are not those of the recorded run: edited by hand, or run and saved in Jupyter."""
    ran = any(cell.execution_count or cell.outputs for cell in code_cells(notebook.cells))
    return ran and record_of(notebook).get("outputs") != seal(notebook)


def has_error(cell):
    return any(output.output_type == "error" for output in cell.outputs)


def carried(cells, name, old):
    """The code cells of the notebook `old` whose outputs hold for the new `cells`; always the first ones.

    A cell's outputs are true while its code and all code before it is unchanged and was run in order without
    an error. For the comparison the new cells get the address that `old` has: a new address keeps outputs.
    """
    if old is None or broken_seal(old):
        return []
    address = record_of(old).get("repository", "")
    kept = []
    for number, (new, cell) in enumerate(zip(code_cells(cells), code_cells(old.cells), strict=False), 1):
        same = cell.source == fill(new.source, name, address)
        if not same or cell.execution_count != number or has_error(cell):
            break
        kept.append(cell)
    return kept


def store(notebook, executed, record):
    """Give the first code cells of `notebook` the outputs of the `executed` ones; record and seal the run."""
    for cell, source in zip(code_cells(notebook.cells), executed, strict=False):
        cell.outputs, cell.execution_count = source.outputs, source.execution_count
    if executed:
        record = {**record, "repository": notebook.metadata.gan_course.repository, "outputs": seal(notebook)}
        notebook.metadata.gan_course = nbformat.from_dict(record)


def cleaned(outputs):
    """Outputs worth storing: no widget views, one block per stream, progress bars as they ended.

    Standard output is merged between two figures, so that text stays beside its figure; standard error, where
    progress bars live, is merged over the whole cell.
    """
    kept, open_streams = [], {}
    for output in outputs:
        if output.output_type == "stream":
            if output.name in open_streams:
                open_streams[output.name].text += output.text
                continue
            open_streams[output.name] = output
        elif WIDGET in output.get("data", {}):
            continue
        else:
            open_streams.pop("stdout", None)
        kept.append(output)
    for output in kept:
        if output.output_type == "stream":
            output.text = "\n".join(as_on_a_terminal(line) for line in output.text.split("\n"))
    return [output for output in kept if output.output_type != "stream" or output.text.strip()]


def as_on_a_terminal(line):
    """What a terminal shows in the end of a line in which carriage returns overwrite what came before."""
    shown = ""
    parts = line.rstrip("\r").split("\r")
    for part in parts:
        shown = part + shown[len(part) :]
    return shown if len(parts) == 1 else re.sub(r"\s+$", "", shown)
