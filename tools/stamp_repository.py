"""Stamp the public address: `python tools/stamp_repository.py https://github.com/owner/name`.

Writes it into pyproject.toml, the one place where it stands, then into README.md's address block and the
notebooks' badges and set-up cells; stored outputs stay. Without an address, stamps what pyproject.toml has.
"""

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.build_notebooks import build
from tools.notebooks.course import Course, LessonError, address_in, badge, write_if_changed
from tools.notebooks.outputs import written

BLOCK = re.compile(r"(<!-- address -->\n).*?(<!-- /address -->)", re.DOTALL)
UNKNOWN = "The public address of this course is not known yet, so there is no `git clone` line to copy here."


def valid_address(text):
    """The address in its plain form; GitHub's only, where Colab and Kaggle read notebooks from."""
    address = re.sub(r"(\.git)?/?$", "", text.strip())
    if not re.fullmatch(r"https://github\.com/[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+", address):
        raise LessonError(f"'{text}' is not an address like https://github.com/owner/name.")
    return address


def with_address(pyproject, address):
    """The text of pyproject.toml with the address in [project.urls], all else as it was."""
    table = re.search(r"^\[project\.urls\][^\n]*\n(?:(?!\[).*\n?)*", pyproject, re.MULTILINE)
    line = f'Repository = "{address}"'
    if not table:
        text = pyproject.rstrip("\n") + f"\n\n[project.urls]\n{line}\n"
    else:
        block, count = re.subn(r'^Repository\s*=\s*("[^"\n]*"|\'[^\'\n]*\')', line, table[0], flags=re.MULTILINE)
        if not count:
            header, _, rest = table[0].partition("\n")
            block = f"{header}\n{line}\n{rest}"
        text = pyproject[: table.start()] + block + pyproject[table.end() :]
    try:
        if address_in(text) == address:
            return text
    except LessonError:
        pass  # the address stands there in a form that this edit does not know
    raise LessonError(f"Write '{line}' into pyproject.toml's [project.urls] by hand, then stamp without address.")


def with_block(readme, address, lesson):
    """The text of README.md with its address block saying how to get the course."""
    sentence = UNKNOWN
    if address:
        sentence = f"Get it with `git clone {address}.git`, or open lesson 00: {badge(address, lesson, 'Colab')}"
    text, count = BLOCK.subn(lambda found: f"{found[1]}{sentence}\n{found[2]}", readme)
    if count != 1:
        raise LessonError("README.md needs one '<!-- address -->' line and one '<!-- /address -->' line after it.")
    return text


def stamp(course, wanted=None):
    """Stamp the address, or what pyproject.toml has; all is worked out before the first file is written."""
    pyproject = course.pyproject.read_text(encoding="utf-8")
    address = valid_address(wanted) if wanted else course.address()
    names = course.names()
    files = {course.pyproject: with_address(pyproject, address) if address else pyproject}
    if not course.readme.exists():
        raise LessonError("README.md is missing.")
    first = next(iter(names), "00_start_here")
    files[course.readme] = with_block(course.readme.read_text(encoding="utf-8"), address, first)
    for name in names:
        files[course.notebook(name)] = written(build(course, name, address).notebook)
    for path, text in files.items():
        write_if_changed(path, text)
    return address


def main(arguments=None, course=None):
    """The exit status: 0, or 1 with one sentence on what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?")
    wanted = parser.parse_args(arguments).address
    try:
        address = stamp(course or Course.at(Path(__file__).resolve().parents[1]), wanted)
    except LessonError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"stamped: {address or 'no address is known yet'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
