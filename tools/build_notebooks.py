"""Build the notebooks from the lessons: `python tools/build_notebooks.py [LESSON ...]`.

Without an option, writes notebooks/NN_name.ipynb; outputs stay where the code up to them is unchanged.
  --execute      runs the lessons afresh and stores their outputs
  --check        for CI: says what in notebooks/ is not as the build makes it
  --stale        lists the lessons that ran with an older version of the package
  --solved DIR   writes the lessons with their solutions in place, without outputs
A LESSON is a name such as 02_vanilla_gan, or just 02; tools/notebooks/source.py says how it marks solutions.
"""

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nbformat import NotebookNode

from tools.notebooks import check, outputs, source
from tools.notebooks.course import Course, LessonError, write_if_changed


@dataclass
class Built:
    """A built notebook, how many of its code cells kept their outputs, and what else there is to say."""

    notebook: NotebookNode
    kept: int
    total: int
    remark: str


def build(course, name, address=None):
    """The notebook of a lesson with the stored outputs that hold; `address` overrides pyproject.toml."""
    cells = source.lesson_cells(course, name)
    old = outputs.read_notebook(course.notebook(name))
    kept = outputs.carried(cells, name, old)
    notebook = source.new_notebook(cells, name, course.address() if address is None else address)
    outputs.store(notebook, kept, outputs.record_of(old))
    remark = " (the stored ones were not those of a run)" if old and outputs.broken_seal(old) else ""
    return Built(notebook, len(kept), len(outputs.code_cells(notebook.cells)), remark)


def build_one(course, name):
    """Write a lesson's notebook; a sentence on what became of its outputs."""
    built = build(course, name)
    write_if_changed(course.notebook(name), outputs.written(built.notebook))
    if built.kept == built.total:
        return f"{name}: outputs kept for all {built.total} code cells"
    return f"{name}: outputs kept for {built.kept} of {built.total} code cells{built.remark}: run --execute"


def execute_one(course, name):
    """Run a lesson and write its notebook; a sentence on the run."""
    from tools.notebooks.execute import execute

    fresh = source.new_notebook(source.lesson_cells(course, name), name, course.address())
    notebook = execute(course, name, fresh)
    write_if_changed(course.notebook(name), outputs.written(notebook))
    record = notebook.metadata.gan_course
    return f"{name}: ran in {record.seconds} s, profile {record.profile}, {record.hardware}"


def solve_one(course, name, folder):
    """Write a lesson's solved notebook into `folder`; a sentence that says so."""
    path = Path(folder) / f"{name}.ipynb"
    if path.resolve().parent == course.notebooks.resolve():
        raise LessonError("--solved would overwrite what learners open: name a folder other than notebooks/.")
    notebook = source.new_notebook(source.lesson_cells(course, name, solved=True), name, course.address())
    write_if_changed(path, outputs.written(notebook))
    return f"{name}: solved"


def stale_one(course, name):
    """Nothing if the lesson's outputs were made with the package as it is; else complains."""
    from tools.notebooks.modules import digest

    ran_with = outputs.record_of(outputs.read_notebook(course.notebook(name))).get("digest")
    if ran_with is None:
        raise LessonError(f"{name}: has never been executed")
    if ran_with != digest(course, name):
        raise LessonError(f"{name}: executed with an older version of the package's modules that it imports")


def check_one(course, name):
    found = check.problems(course, name, build)
    if found:
        raise LessonError("\n".join(found))
    return f"{name}: as built"


def run(course, arguments):
    """Do what the command line asks for every lesson, whatever becomes of the others; the exit status."""
    names = course.find(arguments.lessons)
    whole_check = arguments.action is check_one and not arguments.lessons
    wrong = check.leftovers(course, names) if whole_check else []
    for name in names:
        try:
            said = arguments.action(course, name)
            print(said or "", end="\n" if said else "", flush=True)
        except LessonError as error:
            wrong.append(str(error))
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


def command_line(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", metavar="LESSON")
    options = parser.add_mutually_exclusive_group()
    options.add_argument("--check", dest="action", action="store_const", const=check_one, default=build_one)
    options.add_argument("--execute", dest="action", action="store_const", const=execute_one)
    options.add_argument("--stale", dest="action", action="store_const", const=stale_one)
    options.add_argument("--solved", metavar="DIR")
    parsed = parser.parse_args(arguments)
    if parsed.solved:
        parsed.action = partial(solve_one, folder=parsed.solved)
    return parsed


def main(arguments=None, course=None):
    """The exit status: 0, or 1 with plain sentences on what is wrong."""
    try:
        parsed = command_line(arguments)
        return run(course or Course.at(Path(__file__).resolve().parents[1]), parsed)
    except LessonError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; every notebook is whole, the last one as it was before.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
