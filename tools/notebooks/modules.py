"""Which files of the package a lesson imports, directly or not, and a digest of them.

Imports are read from the syntax tree, those inside functions too. `python -m gan_course...` in a lesson
is seen, an import by string (importlib) is not.
"""

import ast
import hashlib
import re

from tools.notebooks.course import LessonError
from tools.notebooks.outputs import code_cells
from tools.notebooks.source import lesson_cells, syntax_tree


def digest(course, name):
    """A sha256 over the package's files that the lesson imports; line ends do not count."""
    total = hashlib.sha256()
    for path in imported_files(course, name):
        total.update(f"{path.relative_to(course.package).as_posix()}\n".encode())
        total.update(path.read_text(encoding="utf-8").encode() + b"\0")
    return total.hexdigest()


def imported_files(course, name):
    """The package's files behind a lesson, sorted."""
    package = course.package.name
    todo = set()
    for cell in code_cells(lesson_cells(course, name)):
        todo |= imports(syntax_tree(cell.source, name), package, "")
        for module in re.findall(rf"-m\W+({package}\b[\w.]*)", cell.source):
            todo |= {module, f"{module}.__main__"}
    files, done = set(), set()
    while todo:
        module = todo.pop()
        if module in done:
            continue
        done.add(module)
        if "." in module:
            todo.add(module.rpartition(".")[0])  # importing a.b runs a too
        path = file_of(course, module)
        if path:
            files.add(path)
            inside = module if path.name == "__init__.py" else module.rpartition(".")[0]
            todo |= imports(tree_of(path), package, inside)
    return sorted(files, key=lambda path: path.relative_to(course.package).as_posix())


def file_of(course, module):
    """The file of a module of the package; None for a name that is no module."""
    place = course.package.joinpath(*module.split(".")[1:])
    found = [path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()]
    return found[0] if found else None


def tree_of(path):
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        at = f"{path.name}, line {error.lineno}"
        raise LessonError(f"The package's {at} is not valid Python: {error.msg}.") from None


def imports(tree, package, inside):
    """The names in the package that the code may import; `inside` is the package that the code lies in."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = inside.split(".")[: len(inside.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute):
            names.add(ast.unparse(node))  # import gan_course, then gan_course.data.load
    return {name for name in names if re.fullmatch(rf"{package}(\.\w+)*", name)}
