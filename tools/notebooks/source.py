"""From lessons/NN_name.py to the cells of a notebook: exercises become stubs, each solution is placed once.

An exercise is a code cell `# %% exercise="name"`. In it, nbgrader's markers:

    ### BEGIN SOLUTION      what stands between the two is replaced by
    ...                     `# YOUR CODE HERE` and `raise NotImplementedError`, at the same indentation;
    ### STUB                with this line, by the commented lines after it, uncommented
    # guess = None
    ### END SOLUTION

A Markdown line `<!-- solution: name -->` becomes a collapsed block with the exercise's solved code.
A line `# %magic` or `# !command` in a code cell becomes the magic.
"""

import ast
import hashlib
import re
from collections import Counter

import jupytext
from nbformat import NotebookNode, from_dict, v4

from tools.notebooks.course import LessonError, fill

# jupytext's own rule for magics would also turn the comment "# copy the weights" into a command.
FORMAT = {"extension": ".py", "format_name": "percent", "comment_magics": False}
MAGIC = re.compile(r"^(\s*)# ?(%{1,2}[A-Za-z]{2}|![A-Za-z])", re.MULTILINE)
BEGIN, STUB, END = "### BEGIN SOLUTION", "### STUB", "### END SOLUTION"
LIKE_A_MARKER = re.compile(r"#\s*((BEGIN|END)\W*SOLUTION|STUB\s*$)", re.IGNORECASE | re.MULTILINE)
PLACE = re.compile(r"^[ \t]*<!--\s*solution:\s*(\S+)\s*-->[ \t]*$", re.MULTILINE)
KEPT_METADATA = ("tags", "jupyter", "cellView")  # tags, and what hides a cell in JupyterLab and in Colab


def lesson_cells(course, name, solved=False):
    """The cells of a lesson as a learner gets them, or solved; the address is not filled in yet."""
    cells, solutions = [], {}
    for number, cell in enumerate(read_cells(course, name), 1):
        if cell.cell_type == "code":
            where = f"{name}, cell {number} ({cell.source.splitlines()[0]!r})"
            cell.source = code_of(cell, where, solutions, solved)
            syntax_tree(cell.source, where)
        cells.append(cell)
    place_solutions(cells, solutions, name)
    return with_ids(cells)


def read_cells(course, name):
    """The cells of the source file as jupytext reads them, without empty ones."""
    path = course.source(name)
    try:
        cells = jupytext.reads(path.read_text(encoding="utf-8"), fmt=FORMAT).cells
    except OSError:
        raise LessonError(f"{name}: lessons/{name}.py cannot be read.") from None
    except (
        Exception
    ) as error:  # jupytext has no exception of its own: YAML, JSON and validation errors come through
        raise LessonError(f"{name}: jupytext cannot read the lesson: {str(error).splitlines()[0]}") from None
    return [cell for cell in cells if cell.source.strip()]


def code_of(cell, where, solutions, solved):
    """What the built code cell says; an exercise's solved form is noted in `solutions`."""
    source = MAGIC.sub(r"\1\2", cell.source)
    exercise = cell.metadata.get("exercise")
    if exercise is not None:
        where = f"{where.split(',')[0]}, exercise '{exercise}'"
        if exercise in solutions:
            raise LessonError(f"{where}: there are two exercises of that name.")
        if BEGIN not in source:
            raise LessonError(f"{where}: its cell has no '{BEGIN}'.")
        learners, solutions[exercise] = both_forms(source, where)
        syntax_tree(solutions[exercise], where)
        source = solutions[exercise] if solved else learners
    if LIKE_A_MARKER.search(source) or LIKE_A_MARKER.search(solutions.get(exercise, "")):
        raise LessonError(f'{where}: a marker of a solution is misspelt, or its cell has no exercise="name".')
    return source


def both_forms(source, where):
    """An exercise cell's two forms: what the learner gets, and the solved one."""
    learners, solved = [], []
    indent = answer = stub = None  # all None outside a solution
    for line in source.split("\n"):
        marker = line.strip()
        if marker == BEGIN and indent is None:
            indent, answer = line[: line.index("#")], []
        elif marker == STUB and indent is not None and stub is None:
            stub = []
        elif marker == END and indent is not None:
            if not "".join(answer).strip():
                raise LessonError(f"{where}: a solution is empty.")
            unsolved = [f"{indent}# YOUR CODE HERE", f"{indent}raise NotImplementedError"]
            learners += unsolved if stub is None else stub
            solved += answer
            indent = answer = stub = None
        elif marker in (BEGIN, STUB, END):
            raise LessonError(
                f"{where}: '{marker}' stands where it cannot: BEGIN, then at most one STUB, then END."
            )
        elif indent is None:
            learners.append(line)
            solved.append(line)
        elif stub is None:
            answer.append(line)
        else:
            stub.append(uncommented(line, where))
    if indent is not None:
        raise LessonError(f"{where}: '{BEGIN}' without '{END}'.")
    return "\n".join(learners), "\n".join(solved)


def uncommented(line, where):
    """A line of a stub without its leading '# '."""
    found = re.fullmatch(r"(\s*)# ?(.*)", line)
    if line.strip() and not found:
        raise LessonError(f"{where}: '{line.strip()}' after '{STUB}' is not a comment.")
    return (found[1] + found[2]).rstrip() if found else ""


def place_solutions(cells, solutions, name):
    """Put each exercise's solved code where the lesson's Markdown asks for it, exactly once."""
    placed = Counter()

    def details(found):
        exercise = found[1]
        placed[exercise] += 1
        if exercise not in solutions:
            raise LessonError(f"{name}: '{found[0].strip()}', but there is no exercise '{exercise}'.")
        return (
            "<details><summary>Solution</summary>\n\n"
            f"```python\n{solutions[exercise].strip()}\n```\n\n"
            "</details>"
        )

    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = PLACE.sub(details, cell.source)
            if re.search(r"<!--\s*solution", cell.source):
                raise LessonError(f"{name}: '<!-- solution: name -->' has to stand on a line of its own.")
    for exercise in solutions:
        if placed[exercise] != 1:
            times = "no place" if not placed[exercise] else f"{placed[exercise]} places"
            raise LessonError(
                f"{name}, exercise '{exercise}': the lesson has {times} for its solution; "
                f"it needs one Markdown line <!-- solution: {exercise} -->."
            )


def with_ids(cells):
    """Fresh cells whose ids follow from what they say, so that a build never changes what did not change."""
    make = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}
    seen, result = Counter(), []
    for cell in cells:
        said = f"{cell.cell_type}\n{cell.source}"
        identity = hashlib.sha256(f"{seen[said]}\n{said}".encode()).hexdigest()[:12]
        seen[said] += 1
        metadata = {key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata}
        result.append(make[cell.cell_type](cell.source, id=identity, metadata=metadata))
    return result


def new_notebook(cells, name, address):
    """A notebook of these cells, without outputs and with the address filled in."""
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "gan_course": {"repository": address},
    }
    filled = [NotebookNode(cell, source=fill(cell.source, name, address)) for cell in cells]
    return v4.new_notebook(metadata=from_dict(metadata), cells=filled)


def syntax_tree(source, where):
    """The syntax tree of a code cell without its magics; of a `%%` cell, what follows if that is Python."""
    cell_magic = source.startswith("%%")
    python = re.sub(r"^(\s*)[%!]+[A-Za-z].*$", r"\1pass", source, flags=re.MULTILINE)
    try:
        return compile(python, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        if cell_magic:
            return ast.Module([], [])
        line = (error.text or "").strip()
        raise LessonError(f"{where}: what is built is not valid Python: {error.msg} at '{line}'.") from None
