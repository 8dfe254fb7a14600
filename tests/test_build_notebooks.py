"""The pipeline from lessons/ to notebooks/, on a small course in a temporary folder."""

import importlib.util
import sys
import time
from pathlib import Path
from queue import Empty

import pytest
from nbformat import v4

from gan_course.files import write_atomically
from tools import build_notebooks, stamp_repository
from tools.notebooks import check, modules, outputs
from tools.notebooks.course import NO_ADDRESS, Course, LessonError

NAME = "02_demo"
ADDRESS = "https://github.com/some-owner/gan.course"
LESSON = """\
# %% [markdown]
# # A lesson
# {{badges}}

# %% tags=["setup"] jupyter={"source_hidden": true}
# copy the weights: jupytext alone would make this a command
# %matplotlib inline
address = "{{repository}}"

# %% exercise="double"
def double(x):
    if x:
        ### BEGIN SOLUTION
        y = x + x
        return y
        ### END SOLUTION
    return 0

# %% exercise="guess"
### BEGIN SOLUTION
guess = "b"
### STUB
# guess = None  # "a", "b" or "c"
#
# later = 1
### END SOLUTION
print(guess)

# %% [markdown]
# <!-- solution: double -->
#
# <!-- solution: guess -->

# %%
from gan_course import losses

# %%
print("twice")

# %%
print("twice")
"""


@pytest.fixture
def course(tmp_path):
    """A repository with one lesson and a package of five modules; no address, no notebook yet."""
    course = Course.at(tmp_path)
    files = {
        "lessons/02_demo.py": LESSON,
        "pyproject.toml": '[project]\nname = "x"  # a comment\n\n[tool.x]\ny = 1\n',
        "README.md": "# Course\n<!-- address -->\nold\n<!-- /address -->\nend\n",
        "gan_course/__init__.py": "",
        "gan_course/losses.py": "def f():\n    from .deep import core\n    return core\n",
        "gan_course/deep/__init__.py": "",
        "gan_course/deep/core.py": "from ..device import pick\n",
        "gan_course/device.py": "pick = 1\n",
        "gan_course/unrelated.py": "x = 1\n",
    }
    for place, text in files.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text, encoding="utf-8")
    return course


def command(course, capsys, *arguments):
    """The exit status and what the command printed."""
    status = build_notebooks.main(list(arguments), course)
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return status, printed.out + printed.err


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    path.write_text(text.replace(old, new), encoding="utf-8")


def stored(course):
    return outputs.read_notebook(course.notebook(NAME))


def save(course, notebook):
    course.notebook(NAME).parent.mkdir(exist_ok=True)
    course.notebook(NAME).write_text(outputs.written(notebook), encoding="utf-8")


def pretend_run(course):
    """Store outputs as a run would, without the seconds that a kernel needs."""
    notebook = build_notebooks.build(course, NAME).notebook
    cells = outputs.code_cells(notebook.cells)
    ran = [
        v4.new_code_cell(execution_count=n, outputs=[v4.new_output("stream", name="stdout", text=f"{n}\n")])
        for n in range(1, len(cells) + 1)
    ]
    record = {
        "profile": "laptop",
        "seconds": 1.0,
        "digest": modules.digest(course, NAME),
        "hardware": "abacus",
    }
    outputs.store(notebook, ran, record)
    save(course, notebook)
    return len(cells)


def sources(course, **options):
    cells = build_notebooks.source.lesson_cells(course, NAME, **options)
    return [cell.source for cell in cells]


# What is built


def test_learners_get_stubs(course):
    _, setup, double, guess, *_ = sources(course)
    assert double == (
        "def double(x):\n    if x:\n        # YOUR CODE HERE\n        raise NotImplementedError\n    return 0"
    )
    assert guess == 'guess = None  # "a", "b" or "c"\n\nlater = 1\nprint(guess)'
    assert setup.startswith("# copy the weights") and "\n%matplotlib inline\n" in setup


def test_the_solved_form_has_the_solution_and_no_marker(course):
    _, _, double, guess, *_ = sources(course, solved=True)
    assert double == "def double(x):\n    if x:\n        y = x + x\n        return y\n    return 0"
    assert guess == 'guess = "b"\nprint(guess)'


def test_the_shown_solution_is_the_solved_cell(course):
    solved = sources(course, solved=True)[2]
    shown = sources(course)[4]
    assert f"<details><summary>Solution</summary>\n\n```python\n{solved}\n```\n\n</details>" in shown
    edit(course.source(NAME), "y = x + x", "y = 2 * x")
    assert "y = 2 * x" in sources(course)[4]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "        ### END SOLUTION\n    return 0",
            "    return 0",
            "exercise 'double': '### BEGIN SOLUTION' without",
        ),
        ("        ### BEGIN SOLUTION\n", "", "no '### BEGIN SOLUTION'"),
        ("        y = x + x\n", "        ### BEGIN SOLUTION\n", "stands where it cannot"),
        ("print(guess)", "### STUB\nprint(guess)", "stands where it cannot"),
        ("print(guess)", "### END SOLUTION\nprint(guess)", "stands where it cannot"),
        ("        y = x + x\n        return y\n", "", "a solution is empty"),
        ("# guess = None  #", "guess = None  #", "is not a comment"),
        ("# later = 1", "# later = = 1", "not valid Python"),
        ('exercise="guess"', 'exercise="double"', "two exercises of that name"),
        ('# %% exercise="double"', "# %%", "misspelt, or its cell has no exercise"),
        ("### BEGIN SOLUTION\nguess", "## begin solution\nguess", "no '### BEGIN SOLUTION'"),
        ("        return y\n", "        return y\n        ### End solution\n", "misspelt"),
        ("{{badges}}", "{{ badges }}", "{{ badges }} is no placeholder"),
        ("# <!-- solution: double -->", "# Nothing", "exercise 'double': the lesson has no place"),
        (
            "# <!-- solution: double -->",
            "# <!-- solution: double -->\n# <!-- solution: double -->",
            "has 2 places",
        ),
        ("# <!-- solution: double -->", "# See <!-- solution: double -->", "line of its own"),
        ("<!-- solution: guess -->", "<!-- solution: gues -->", "no exercise 'gues'"),
    ],
)
def test_a_mistake_in_a_lesson_is_one_plain_sentence(course, capsys, old, new, complaint):
    edit(course.source(NAME), old, new)
    status, said = command(course, capsys)
    assert status == 1 and complaint in said and said.startswith(NAME) and said.count("\n") == 1
    assert not course.notebook(NAME).exists()


def test_building_twice_gives_the_same_bytes(course, capsys):
    command(course, capsys)
    first = course.notebook(NAME).read_bytes()
    course.notebook(NAME).unlink()
    command(course, capsys)
    assert course.notebook(NAME).read_bytes() == first
    ids = [cell.id for cell in stored(course).cells]
    assert len(set(ids)) == len(ids), "the two equal cells need different ids"


def test_ids_follow_the_content_of_their_own_cell(course):
    before = build_notebooks.source.lesson_cells(course, NAME)
    edit(course.source(NAME), "# # A lesson", "# # Another lesson")
    after = build_notebooks.source.lesson_cells(course, NAME)
    assert [a.id == b.id for a, b in zip(before, after, strict=True)] == [False] + [True] * (len(before) - 1)


def test_metadata_is_minimal_and_tags_stay(course, capsys):
    command(course, capsys)
    notebook = stored(course)
    assert set(notebook.metadata) == {"kernelspec", "language_info", "gan_course"}
    assert notebook.metadata.kernelspec.name == "python3" and dict(notebook.metadata.language_info) == {
        "name": "python"
    }
    assert notebook.cells[1].metadata == {"tags": ["setup"], "jupyter": {"source_hidden": True}}
    assert notebook.cells[2].metadata == {}


def test_solved_notebooks_have_no_outputs_and_never_overwrite(course, capsys):
    pretend_run(course)
    before = course.notebook(NAME).read_bytes()
    assert command(course, capsys, "--solved", str(course.notebooks))[0] == 1
    assert command(course, capsys, "--solved", str(course.root / "out"))[0] == 0
    solved = outputs.read_notebook(course.root / "out" / f"{NAME}.ipynb")
    assert "y = x + x" in solved.cells[2].source
    assert not any(cell.outputs or cell.execution_count for cell in outputs.code_cells(solved.cells))
    assert course.notebook(NAME).read_bytes() == before


def test_lessons_are_named_by_number_name_or_path(course, capsys):
    for word in ("02", NAME, f"lessons/{NAME}.py"):
        assert command(course, capsys, word)[0] == 0
    status, said = command(course, capsys, "07")
    assert status == 1 and said == f"There is no lesson '07'; the lessons are: {NAME}.\n"


# Outputs: kept, dropped, refused


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("# # A lesson", "# # Another title", 6),
        ("y = x + x", "y = 2 * x", 6),  # the learner's cell is the same
        ('guess = "b"', 'guess = "c"', 6),
        ("# later = 1", "# later = 2", 2),
        ("    return 0", "    return 1", 1),
        ("# %% [markdown]\n# # A", "# %%\nnew = 1\n\n# %% [markdown]\n# # A", 0),
        ("from gan_course import losses", "from gan_course import device", 3),
        ('\n# %%\nprint("twice")\n\n# %%\nprint("twice")', '\n# %%\nprint("twice")', 5),
    ],
)
def test_outputs_stay_while_the_code_up_to_them_is_unchanged(course, capsys, old, new, kept):
    assert pretend_run(course) == 6
    edit(course.source(NAME), old, new)
    _, said = command(course, capsys)
    cells = outputs.code_cells(stored(course).cells)
    assert [cell.execution_count for cell in cells] == [*range(1, kept + 1)] + [None] * (len(cells) - kept)
    assert [bool(cell.outputs) for cell in cells] == [True] * kept + [False] * (len(cells) - kept)
    number = f"all {len(cells)}" if kept == len(cells) else f"{kept} of {len(cells)}"
    assert said.startswith(f"{NAME}: outputs kept for {number} code cells")
    assert said.endswith("run --execute\n") == (kept < len(cells))


def test_the_record_of_the_run_stays_with_the_outputs(course, capsys):
    pretend_run(course)
    before = stored(course).metadata.gan_course
    command(course, capsys)
    assert stored(course).metadata.gan_course == before
    edit(course.source(NAME), "# copy the", "# move the")
    command(course, capsys)
    assert stored(course).metadata.gan_course == {"repository": ""}


def resealed(notebook):
    notebook.metadata.gan_course["outputs"] = outputs.seal(notebook)


def test_an_output_with_an_error_is_refused_even_when_sealed(course, capsys):
    pretend_run(course)
    notebook = stored(course)
    error = v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
    outputs.code_cells(notebook.cells)[2].outputs.append(error)
    resealed(notebook)
    save(course, notebook)
    assert "an error" in command(course, capsys, "--check")[1]
    assert "kept for 2 of 6" in command(course, capsys)[1]
    assert not any(outputs.has_error(cell) for cell in outputs.code_cells(stored(course).cells))


def test_cells_run_out_of_order_are_refused(course, capsys):
    pretend_run(course)
    notebook = stored(course)
    outputs.code_cells(notebook.cells)[3].execution_count = 17
    resealed(notebook)
    save(course, notebook)
    assert "kept for 3 of 6" in command(course, capsys)[1]


def test_edited_outputs_and_edited_code_are_refused(course, capsys):
    pretend_run(course)
    edit(course.notebook(NAME), '"1\\n"', '"42\\n"')
    assert "kept for 0 of 6 code cells (the stored ones were not those of a run)" in command(course, capsys)[1]
    pretend_run(course)
    notebook = stored(course)
    notebook.cells[3].source += "\nprint(1)"
    save(course, notebook)
    assert "kept for 2 of 6" in command(course, capsys)[1]


def test_a_file_that_is_no_notebook_is_named(course, capsys):
    save(course, build_notebooks.build(course, NAME).notebook)
    course.notebook(NAME).write_text("<<<<<<< HEAD\n", encoding="utf-8")
    for option in ([], ["--check"], ["--stale"]):
        status, said = command(course, capsys, *option)
        assert status == 1 and said == f"{NAME}: notebooks/{NAME}.ipynb is not a valid notebook; delete it and build.\n"


# Cleaning and running


def stream(name, text):
    return v4.new_output("stream", name=name, text=text)


def test_cleaning_keeps_what_a_reader_needs():
    figure = v4.new_output("display_data", {"image/png": "aGk=", "text/plain": "<Figure>"})
    widget = v4.new_output("display_data", {outputs.WIDGET: {"model_id": "1"}, "text/plain": "IntSlider()"})
    bar = [stream("stderr", f"\r{n}%|{'#' * n}{' ' * (9 - n)}|") for n in range(10)]
    cleaned = outputs.cleaned(
        [
            stream("stdout", "a"),
            *bar[:4],
            widget,
            stream("stdout", "b\n"),
            figure,
            *bar[4:],
            stream("stdout", "c\n"),
        ]
    )
    assert cleaned == [
        stream("stdout", "ab\n"),
        stream("stderr", f"9%|{'#' * 9}|"),
        figure,
        stream("stdout", "c\n"),
    ]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain  ", "plain  "),
        ("10%\r20%\r", "20%"),
        ("long line\rab", "abng line"),
        ("bar\r   \r", ""),
        ("x\r", "x"),
    ],
)
def test_a_carriage_return_overwrites_as_on_a_terminal(line, shown):
    assert outputs.as_on_a_terminal(line) == shown


def test_a_bar_that_cleared_itself_leaves_no_output():
    assert outputs.cleaned([stream("stderr", "\r50%"), stream("stderr", "\r   \r")]) == []


RUN_ME = """\
# %%
import os, sys
from IPython.display import HTML, display
for n in range(3):
    print(f"\\r{n}", end="", file=sys.stderr)
print(os.environ["GAN_COURSE_PROFILE"], os.environ.get("COURSE_STRICT"), os.path.basename(os.getcwd()))
display({"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Slider"}, raw=True)

# %%
HTML("<img alt='a digit' src='data:,'>")

# %%
from IPython.display import Image
Image(b"\\x89PNG", format="png", alt="a figure")
"""


def test_execute_stores_a_clean_run_and_a_failure_stores_nothing(course, capsys, monkeypatch):
    monkeypatch.delenv("GAN_COURSE_PROFILE", raising=False)
    monkeypatch.setenv("COURSE_STRICT", "1")
    course.source(NAME).write_text(RUN_ME, encoding="utf-8")
    status, said = command(course, capsys, "--execute")
    assert status == 0 and "profile laptop" in said, said
    notebook = stored(course)
    first, second, third = outputs.code_cells(notebook.cells)
    said = {output.name: output.text for output in first.outputs}  # the order of the two streams is chance
    assert said == {"stderr": "2", "stdout": "laptop None notebooks\n"} and len(first.outputs) == 2
    assert second.outputs[0].data["text/html"].startswith("<img") and second.metadata == {}
    assert third.outputs[0].metadata["image/png"]["alt"] == "a figure"
    record = notebook.metadata.gan_course
    assert set(record) == {"profile", "seconds", "digest", "hardware", "repository", "outputs"}
    assert 0 < record.seconds < 60 and "CPU cores, torch not used; Python 3." in record.hardware
    assert command(course, capsys, "--check")[0] == 0
    assert command(course, capsys, "--stale")[0] == 0

    edit(course.source(NAME), "HTML(", "raise ValueError('no\\nluck')\nHTML(")
    before = course.notebook(NAME).read_bytes()
    status, said = command(course, capsys, "--execute")
    assert status == 1
    assert said == f"{NAME}, code cell 2 (\"raise ValueError('no\\\\nluck')\") raised ValueError: no\n"
    assert course.notebook(NAME).read_bytes() == before
    assert [path.name for path in course.notebooks.iterdir()] == [f"{NAME}.ipynb"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "a.ipynb"
    path.write_text("old")

    def full(source, target):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


# --check


def first_outputs(notebook):
    return outputs.code_cells(notebook.cells)[0].outputs


def show(notebook, data):
    first_outputs(notebook).append(v4.new_output("display_data", data))
    resealed(notebook)


def set_source(notebook, number, text):
    notebook.cells[number].source = text


DRIFTS = {
    "a code cell edited": (lambda nb: set_source(nb, 5, "x = 1"), "cell 6 is not what the lesson builds"),
    "text edited": (lambda nb: set_source(nb, 0, "# Hi"), "cell 1 is not what the lesson builds"),
    "a cell deleted": (lambda nb: nb.cells.pop(), "it has 7 cells, the lesson builds 8"),
    "an output edited": (lambda nb: first_outputs(nb)[0].update(text="9"), "outputs are not those of a run"),
    "an id changed": (lambda nb: nb.cells[0].update(id="abc"), "metadata, cell ids or layout"),
    "saved by Jupyter": (
        lambda nb: nb.metadata.language_info.update(version="3.9"),
        "metadata, cell ids or layout",
    ),
    "widgets": (lambda nb: nb.metadata.update(widgets={}), "metadata.widgets is there"),
    "too large": (lambda nb: show(nb, {"text/plain": "x" * 3_000_000}), "3.0 MB; at most 3 MB"),
    "no alt text": (lambda nb: show(nb, {"text/html": "<p><img src='a'>"}), "an image without alt text"),
    "a figure without alt text": (
        lambda nb: show(nb, {"image/png": "aGk=", "text/plain": "<Figure>"}),
        "an image without alt text",
    ),
    "empty alt text": (
        lambda nb: show(nb, {"text/html": "<img alt='' src='a'>"}),
        "an image without alt text",
    ),
    "a home": (lambda nb: show(nb, {"text/plain": "/home/ada/x"}), "('/home/a')"),
    "this home": (lambda nb: show(nb, {"text/plain": f"in {Path.home()}/x"}), f"('{Path.home()}')"),
    "a Windows home": (lambda nb: show(nb, {"text/html": "C:\\Users\\ada"}), "a path of the machine"),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_check_notices(course, capsys, drift):
    change, complaint = DRIFTS[drift]
    pretend_run(course)
    assert command(course, capsys, "--check") == (0, f"{NAME}: as built\n")
    notebook = stored(course)
    change(notebook)
    save(course, notebook)
    status, said = command(course, capsys, "--check")
    assert status == 1 and complaint in said
    assert all(line.startswith(NAME) for line in said.splitlines())


def test_check_notices_the_repositorys_path(course):
    cell = v4.new_code_cell(execution_count=1, outputs=[stream("stdout", f"saved in {course.root}/runs\n")])
    assert check.cell_problems(cell, course) == [f"stores a path of the machine that ran it ('{course.root}')."]
    cell.outputs = [stream("stdout", f"see {course.root}-other, example.org/home/page, data:x;base64,/home/ada=")]
    assert check.cell_problems(cell, course) == []


def test_check_notices_forgotten_builds_runs_and_leftovers(course, capsys):
    assert "there is no notebook" in command(course, capsys, "--check")[1]
    command(course, capsys)
    status, said = command(course, capsys, "--check")
    assert status == 1 and said.count("has no stored execution") == 6, "every problem is listed"
    pretend_run(course)
    edit(course.source(NAME), "# # A lesson", "# # Changed")
    assert "cell 1 is not what the lesson builds" in command(course, capsys, "--check")[1]
    pretend_run(course)
    (course.notebooks / "99_old.ipynb").write_text("{}", encoding="utf-8")
    status, said = command(course, capsys, "--check")
    assert status == 1 and "99_old: notebooks/99_old.ipynb has no lesson" in said
    assert command(course, capsys, "--check", "02")[0] == 0


# --stale


@pytest.mark.parametrize(
    ("module", "stale"),
    [
        ("losses.py", True),
        ("deep/core.py", True),  # imported inside a function
        ("deep/__init__.py", True),
        ("device.py", True),  # by a relative import, two steps away
        ("__init__.py", True),
        ("unrelated.py", False),
    ],
)
def test_stale_follows_the_imports(course, capsys, module, stale):
    pretend_run(course)
    assert command(course, capsys, "--stale") == (0, "")
    path = course.package / module
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    status, said = command(course, capsys, "--stale")
    assert (status == 1 and f"{NAME}: executed with an older version" in said) == stale
    assert stale or status == 0


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import gan_course.unrelated as u", {"__init__.py", "unrelated.py"}),
        ("import gan_course\ngan_course.unrelated.x", {"__init__.py", "unrelated.py"}),
        ("from gan_course.deep import *", {"__init__.py", "deep/__init__.py"}),
        ("# %%time\nimport gan_course.unrelated", {"__init__.py", "unrelated.py"}),
        (
            'run(["python", "-m", "gan_course.deep.core"])',
            {"__init__.py", "deep/__init__.py", "deep/core.py", "device.py"},
        ),
        ("import gan_courses, os", set()),
        ("# %%bash\nfor i in 1 2; do echo; done", set()),
    ],
)
def test_imports_are_found_however_they_are_written(course, code, found):
    course.source(NAME).write_text("# %%\n" + code, encoding="utf-8")
    files = modules.imported_files(course, NAME)
    assert {path.relative_to(course.package).as_posix() for path in files} == found


def test_a_lesson_that_never_ran_is_stale(course, capsys):
    command(course, capsys)
    assert command(course, capsys, "--stale") == (1, f"{NAME}: has never been executed\n")


# The public address


def test_without_an_address_a_notebook_says_so(course, capsys):
    command(course, capsys)
    notebook = stored(course)
    assert NO_ADDRESS in notebook.cells[0].source and 'address = ""' in notebook.cells[1].source


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_the_set_up_cell_finds_or_fetches_the_course_or_says_what_to_do(course, monkeypatch, address):
    edit(course.source(NAME), 'address = "{{repository}}"', "# {{setup}}")
    setup = build_notebooks.build(course, NAME, address).notebook.cells[1].source.partition("matplotlib inline\n")[2]
    fetched = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("subprocess.run", lambda command, check: fetched.append(command[-1]))
    monkeypatch.setattr("sys.path", [])
    (course.root / "elsewhere").mkdir()
    monkeypatch.chdir(course.root / "elsewhere")
    exec(setup, {})
    assert sys.path == [str(course.root)] and not fetched, "a clone that is not set up"
    monkeypatch.chdir(course.root)
    if address:
        exec(setup, {})
        assert fetched == [f"git+{ADDRESS}"]
    else:
        with pytest.raises(ModuleNotFoundError, match="not set yet: clone it by hand"):
            exec(setup, {})


def test_stamping_fills_in_the_address_and_keeps_outputs(course, capsys):
    pretend_run(course)
    for address in (ADDRESS, "https://github.com/other/course"):
        assert stamp_repository.main([address + ".git"], course) == 0
        notebook = stored(course)
        assert f"https://colab.research.google.com/github/{address[19:]}/blob/main/notebooks/{NAME}.ipynb" in (
            notebook.cells[0].source
        )
        assert f"kaggle.com/kernels/welcome?src={address}/blob/main/notebooks/{NAME}.ipynb" in notebook.cells[0].source
        assert f'address = "{address}"' in notebook.cells[1].source
        assert f"git clone {address}.git" in course.readme.read_text() and "old" not in course.readme.read_text()
        assert course.address() == address
        assert all(cell.outputs for cell in outputs.code_cells(notebook.cells))
        capsys.readouterr()
        assert command(course, capsys, "--check")[0] == 0
    assert "# a comment\n" in course.pyproject.read_text() and "[tool.x]\ny = 1\n" in course.pyproject.read_text()


def test_stamping_again_changes_nothing_and_without_address_says_so(course, capsys):
    pretend_run(course)
    assert stamp_repository.main([], course) == 0
    assert "is not known yet" in course.readme.read_text() and "stamped: no address" in capsys.readouterr().out
    stamp_repository.main([ADDRESS], course)
    before = {path: path.read_bytes() for path in course.root.rglob("*") if path.is_file()}
    assert stamp_repository.main([], course) == 0
    assert {path: path.read_bytes() for path in course.root.rglob("*") if path.is_file()} == before


LINE = f'Repository = "{ADDRESS}"'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[project]\n", f"[project]\n\n[project.urls]\n{LINE}\n"),
        ("[project.urls] # c\nHome = 'h'\n[a]\n", f"[project.urls] # c\n{LINE}\nHome = 'h'\n[a]\n"),
        ("[project.urls]\nRepository = 'x'  # c\n[a]\nb = 1\n", f"[project.urls]\n{LINE}  # c\n[a]\nb = 1\n"),
    ],
)
def test_the_address_is_written_into_pyproject_and_all_else_stays(before, after):
    assert stamp_repository.with_address(before, ADDRESS) == after


@pytest.mark.parametrize(
    "address",
    ["github.com/a/b", "https://github.com/a", "https://example.org/a/b", 'https://github.com/a/b"c', "x"],
)
def test_a_wrong_address_changes_nothing(course, capsys, address):
    before = course.pyproject.read_text()
    assert stamp_repository.main([address], course) == 1
    assert capsys.readouterr().err == f"'{address}' is not an address like https://github.com/owner/name.\n"
    assert course.pyproject.read_text() == before


@pytest.mark.parametrize("readme", ["# No block\n", None])
def test_stamping_stops_before_it_writes_anything(course, capsys, readme):
    pretend_run(course)
    course.readme.unlink()
    if readme:
        course.readme.write_text(readme)
    before = course.pyproject.read_text(), course.notebook(NAME).read_text()
    assert stamp_repository.main([ADDRESS], course) == 1
    assert capsys.readouterr().err.startswith("README.md ")
    assert (course.pyproject.read_text(), course.notebook(NAME).read_text()) == before


def test_a_pyproject_that_cannot_be_edited_is_an_error(course):
    with pytest.raises(LessonError, match="by hand"):
        stamp_repository.with_address('project.urls.Repository = "x"\n', ADDRESS)


# The nbval lane


class Kernel:
    """Stands for nbval's kernel: silent, alive for so many questions."""

    def __init__(self, answers):
        self.answers = list(answers)

    def is_alive(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def patient(reply_at=float("inf")):
    """conftest's wrapper around a kernel's channel that answers at that time, else stays empty."""
    spec = importlib.util.spec_from_file_location("root_conftest", Path(__file__).parents[1] / "conftest.py")
    conftest = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conftest)

    def get_message(kernel, stream, timeout):
        time.sleep(min(timeout, 0.05))
        if time.monotonic() < reply_at:
            raise Empty
        return stream

    return conftest.noticing_death(get_message)


def test_nbval_notices_a_dead_kernel_and_waits_for_a_slow_one():
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="kernel died"):
        patient()(Kernel([True, False]), "shell", timeout=60)
    assert patient(start + 0.3)(Kernel([True]), "iopub", timeout=60) == "iopub"
    assert patient(0)(Kernel([False]), "iopub", timeout=60) == "iopub", "what it sent before it died is read"
    with pytest.raises(Empty):
        patient()(Kernel([True]), "shell", timeout=0.2)
    assert time.monotonic() - start < 10
