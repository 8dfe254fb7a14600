"""Where the lessons, the notebooks and the package are, and the course's public address."""

import re
from dataclasses import dataclass
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

from gan_course.files import write_atomically

BRANCH = "main"
NO_ADDRESS = (
    "*Open in Colab: the public address of this course is not set yet; "
    "clone it by hand and open this notebook from the clone.*"
)

SETUP = """\
# Finds the course: on your own machine it is there, Colab and Kaggle fetch it.
import importlib.util
import subprocess
import sys
from pathlib import Path

repository = "{{repository}}"
if importlib.util.find_spec("gan_course") is None:
    here = Path.cwd()
    clones = [folder for folder in (*here.parents, *here.iterdir()) if (folder / "gan_course").is_dir()]
    if clones:
        sys.path.insert(0, str(clones[0]))
    elif repository:
        # --no-deps: Colab and Kaggle have all that the course needs, and keep the versions that fit together.
        install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", f"git+{repository}"]
        subprocess.run(install, check=True)
        importlib.invalidate_caches()
    else:
        raise ModuleNotFoundError(
            "The public address of this course is not set yet: clone it by hand "
            "and open this notebook from the clone."
        )"""


class LessonError(Exception):
    """Something that the author has to put right, said in one plain sentence."""


@dataclass(frozen=True)
class Course:
    """The places that the tools read and write; tests point them at a temporary folder."""

    root: Path
    lessons: Path
    notebooks: Path
    package: Path
    pyproject: Path
    readme: Path

    @classmethod
    def at(cls, root):
        """The course whose repository is `root`, laid out as DESIGN.md says."""
        root = Path(root).resolve()
        package = root / "gan_course"
        return cls(
            root, root / "lessons", root / "notebooks", package, root / "pyproject.toml", root / "README.md"
        )

    def names(self):
        """The names of all lessons, in order."""
        names = sorted(path.stem for path in self.lessons.glob("*.py"))
        for name in names:
            if not re.fullmatch(r"\d\d_[a-z0-9_]+", name):
                raise LessonError(f"lessons/{name}.py: a lesson is called NN_name.py, in small letters.")
        return names

    def find(self, wanted):
        """The lessons that a command line names: '02', '02_vanilla_gan' or a path; all if it names none."""
        names = self.names()
        found = []
        for word in wanted:
            stem = Path(word).stem
            matches = [name for name in names if name == stem or name.startswith(stem + "_")]
            if len(matches) != 1:
                raise LessonError(
                    f"There is no lesson '{word}'; the lessons are: {', '.join(names) or 'none yet'}."
                )
            found += matches
        return found or names

    def source(self, name):
        return self.lessons / f"{name}.py"

    def notebook(self, name):
        return self.notebooks / f"{name}.ipynb"

    def address(self):
        """The public address of the repository, or '' as long as pyproject.toml has none."""
        return address_in(self.pyproject.read_text(encoding="utf-8")) if self.pyproject.exists() else ""


def address_in(pyproject_text):
    """The one place where the address stands: [project.urls] Repository."""
    try:
        project = tomllib.loads(pyproject_text).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise LessonError(f"pyproject.toml cannot be read: {error}.") from None
    return project.get("urls", {}).get("Repository", "")


def badge(address, name, site):
    """A badge, in Markdown, that opens a lesson's notebook on Colab or Kaggle."""
    page = f"{address}/blob/{BRANCH}/notebooks/{name}.ipynb"
    if site == "Colab":
        link = page.replace("https://github.com", "https://colab.research.google.com/github", 1)
        image = "https://colab.research.google.com/assets/colab-badge.svg"
    else:
        link = f"https://kaggle.com/kernels/welcome?src={page}"
        image = "https://kaggle.com/static/images/open-in-kaggle.svg"
    return f"[![Open in {site}]({image})]({link})"


def fill(text, name, address):
    """Fill in {{repository}}; a line with {{badges}} becomes badges, `# {{setup}}` the set-up code."""
    badges = " ".join(badge(address, name, site) for site in ("Colab", "Kaggle")) if address else NO_ADDRESS
    lines = [badges if "{{badges}}" in line else line for line in text.split("\n")]
    lines = [SETUP if line.strip() == "# {{setup}}" else line for line in lines]
    filled = "\n".join(lines).replace("{{repository}}", address)
    unknown = re.search(r"^[\s#]*(\{\{\s*\w+\s*\}\})\s*$", filled, re.MULTILINE)
    if unknown:
        raise LessonError(f"{name}: {unknown[1]} is no placeholder; there are repository, badges and setup.")
    return filled


def write_if_changed(path, text):
    """Write a file, whole or not at all; without a change, leave it and its date alone."""
    if not (path.exists() and path.read_text(encoding="utf-8") == text):
        write_atomically(path, text.encode())
