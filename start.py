"""Sets up the course in .venv beside this file, and opens it. Needs nothing but Python.

    python start.py [lab] [--no-browser] [--locked]   set up, open lesson 00 in JupyterLab
    python start.py test [LANE ...] [--locked]        set up, run the tests: all lanes or some

The lanes are lint, tests, notebooks, solved and browser. --no-browser only prints the address. --locked
installs the versions of constraints.txt. pip's own variables, such as PIP_FIND_LINKS, work too.
"""
# The syntax is old on purpose: Python 2 and all since must read the whole file to print the first sentence.
# ruff: noqa: RUF005, UP021, UP031, UP036
import sys

if sys.version_info < (3, 10):
    sys.exit("The course needs Python 3.10 or newer and this is Python %d.%d: get a newer one from "
             "python.org and start with that, for example with `python3.12 start.py`." % sys.version_info[:2])

import ctypes
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "gan-course-stamp.txt"
LESSON = ROOT / "notebooks" / "00_start_here.ipynb"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
VERSION = "%d.%d" % sys.version_info[:2]
SITE_PACKAGES = VENV / ("Lib/site-packages" if WINDOWS else "lib/python%s/site-packages" % VERSION)
INSTALL_GB = 8 if sys.platform == "linux" else 3  # on Linux torch brings the CUDA libraries along

# A lane: what it adds to the environment, and its commands, which .venv's Python runs in the repository root.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}  # because two processes share the cores
SMOKE = dict(ONE_THREAD, GAN_COURSE_PROFILE="smoke")
NBVAL = ["-m", "pytest", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300",
         "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile"]
FOLDER = "{folder}"  # stands for a temporary folder in build/, where pytest still finds pyproject.toml
LANES = {
    "lint": ({}, [["-m", "ruff", "check", "."], ["tools/build_notebooks.py", "--check"]]),
    "tests": (ONE_THREAD, [["-m", "pytest", "tests", "-m", "not browser", "-n", "2"]]),
    "notebooks": (SMOKE, [NBVAL + ["notebooks"]]),
    "solved": (dict(SMOKE, COURSE_STRICT="1"),
               [["tools/build_notebooks.py", "--solved", FOLDER], NBVAL + [FOLDER]]),
    "browser": ({}, [["-m", "pytest", "tests", "-m", "browser"]]),
}

NO_POP_UPS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}

PIP_FAILED = """
This command failed, and its last lines above say why:
  {command}
The usual causes:
- No network. Where there is one, run
    python -m pip download {needed} setuptools -d wheels
  and here set PIP_NO_INDEX=1 and PIP_FIND_LINKS to that folder.
- The disk is full: {free:.1f} GB are free, a whole install takes up to {size}. PIP_NO_CACHE_DIR=1 saves some.
- No matching distribution: Python {version} is too new for torch, or too old for constraints.txt.
Then start again: what is installed already is kept."""


def run(command, more=()):
    """The exit status of a command that runs in the repository root and cannot ask questions."""
    return subprocess.call(command, cwd=str(ROOT), env=environment(more), stdin=subprocess.DEVNULL)


def environment(more=()):
    """What a child process sees: .venv first, and no settings of the user's Python, Jupyter or IPython."""
    unwanted = ("PYTHONHOME", "PYTHONPATH", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH")
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    env.update(VIRTUAL_ENV=str(VENV), PATH=str(PYTHON.parent) + os.pathsep + env.get("PATH", os.defpath),
               JUPYTER_CONFIG_DIR=str(VENV / "jupyter"), JUPYTER_PREFER_ENV_PATH="1",
               IPYTHONDIR=str(VENV / "ipython"), PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1")
    env.update(more)
    return env


def venv_trouble():
    """Why .venv, which is a virtual environment, cannot be used as it is; None when it can."""
    config = (VENV / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    home = re.search(r"^home\s*=\s*(.+?)\s*$", config, re.M)
    made_with = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", config, re.M)
    if not PYTHON.exists() or not home or not Path(home.group(1)).is_dir():
        return "the Python that it was made with is gone"
    if not made_with or made_with.group(1) != VERSION:
        return "it was made with another Python than this %s" % VERSION
    if not any(SITE_PACKAGES.glob("pip-*.dist-info/RECORD")):
        return "it has no complete pip"
    return None


def prepare_venv():
    """Make .venv, make a broken one anew, and touch nothing that is no virtual environment."""
    if (VENV / "pyvenv.cfg").is_file():
        trouble = venv_trouble()
        if trouble is None:
            return
        print("The folder .venv cannot be used, %s: making it anew." % trouble)
    elif VENV.is_file() or VENV.is_symlink() or any(not path.is_dir() for path in VENV.rglob("*")):
        sys.exit("%s is no virtual environment and was left alone: rename it, start again." % VENV)
    if not (find_spec("venv") and find_spec("ensurepip")):
        sys.exit("This Python cannot make virtual environments: on Debian and Ubuntu, run "
                 "`sudo apt install python%s-venv`; elsewhere use the Python from python.org." % VERSION)
    print("Making .venv with Python %s" % platform.python_version())
    if run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", str(VENV)]) != 0:
        sys.exit("Making %s failed, for the reason above: close JupyterLab if it runs, see that you may "
                 "write here and that the disk is not full (%.1f GB are free)." % (VENV, free_gb()))


def stamp_lines(dev, locked):
    """What the install that is asked for depends on, the texts by their digests."""
    names = ["requirements.txt"] + ["requirements-dev.txt"] * dev + ["constraints.txt"] * locked
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in names}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    texts["pyproject.toml"] = project.partition("\n[tool.ruff")[0]  # settings of ruff and pytest may change
    lines = {name + " " + hashlib.sha256(text.encode("utf-8")).hexdigest() for name, text in texts.items()}
    return lines | {"python " + VERSION, "folder " + str(ROOT)}


def install(dev, locked):
    """Bring .venv up to date, or do nothing where its stamp says that it is."""
    prepare_venv()
    stamp, found = stamp_lines(dev, locked), STAMP.read_text(encoding="utf-8") if STAMP.exists() else ""
    if stamp <= set(found.splitlines()) and torch_version():  # the last install was this one or had more in it
        return
    needed = ["-r", "requirements-dev.txt" if dev else "requirements.txt"] + ["-c", "constraints.txt"] * locked
    free = free_gb()
    if free < 1:
        sys.exit("Only %.1f GB are free, an install takes up to %d: make room first." % (free, INSTALL_GB))
    if free < INSTALL_GB:
        print("Only %.1f GB are free, an install takes up to %d: make room if it fails." % (free, INSTALL_GB))
    STAMP.unlink(missing_ok=True)
    for half in SITE_PACKAGES.glob("*.dist-info"):
        if not (half / "RECORD").exists():  # pip writes it last, so an install was cut short here
            shutil.rmtree(str(half))
    print("Installing what %s lists: some minutes, the first time" % needed[1])
    for arguments in needed, ["--no-deps", "-e", "."]:
        command = [str(PYTHON), "-m", "pip", "install"] + arguments
        if run(command, {"PIP_NO_INPUT": "1"}) != 0:
            sys.exit(PIP_FAILED.format(command=" ".join(command), needed=" ".join(needed), version=VERSION,
                                       free=free_gb(), size=INSTALL_GB))
    quiet = VENV / "jupyter" / "labconfig" / "default_setting_overrides.json"
    quiet.parent.mkdir(parents=True, exist_ok=True)
    quiet.write_text(json.dumps(NO_POP_UPS))
    unfinished = STAMP.with_suffix(".tmp")
    unfinished.write_text("\n".join(sorted(stamp)), encoding="utf-8")
    os.replace(str(unfinished), str(STAMP))


def free_gb():
    return shutil.disk_usage(str(ROOT)).free / 1e9


def torch_version():
    """The version of torch in .venv, None when there is none; importing torch would take seconds."""
    names = [path.name for path in SITE_PACKAGES.glob("torch-*.dist-info")]
    return names[0][len("torch-") : -len(".dist-info")] if names else None


def memory_gb():
    """This computer's memory; None when it does not say."""
    try:
        if WINDOWS:
            status = (ctypes.c_uint32 * 16)(64)  # MEMORYSTATUSEX: its size first, the 64-bit total at byte 8
            ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
            return (status[2] + (status[3] << 32)) / 1e9 or None
        if sys.platform == "darwin":
            return int(subprocess.check_output(["/usr/sbin/sysctl", "-n", "hw.memsize"])) / 1e9
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def find_device():
    """Where torch will compute, and what to do when that could be better."""
    if os.environ.get("GAN_COURSE_DEVICE"):
        return os.environ["GAN_COURSE_DEVICE"] + ", as GAN_COURSE_DEVICE says", None
    if sys.platform == "darwin":
        return "mps, this Mac's GPU", None
    if not shutil.which("nvidia-smi"):
        return "cpu, which is enough for every lesson", None
    try:
        answer = subprocess.run(["nvidia-smi", "-L"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                timeout=1.5, universal_newlines=True)
    except (OSError, subprocess.TimeoutExpired):
        return "cuda or cpu", "nvidia-smi did not answer: lesson 00 will tell which"
    gpu = re.search(r"^GPU 0: (.+?)(?: \(UUID|$)", answer.stdout, re.M)
    if answer.returncode != 0 or not gpu:
        return "cpu", "the NVIDIA driver does not work: run nvidia-smi to see why"
    build = SITE_PACKAGES / "torch" / "version.py"
    if build.exists() and not re.search(r"^cuda\b[^=]*= *['\"]", build.read_text(encoding="utf-8"), re.M):
        return "cpu", "this torch cannot use the NVIDIA GPU: pytorch.org tells how to install one that can"
    return "cuda, " + gpu.group(1), None


def report():
    """Print a line for each part of the environment: what it is, and what to do when it is wrong."""
    torch, memory, disk = torch_version(), memory_gb(), free_gb()
    lines = {
        "Python": (platform.python_version(), None),
        "torch": (torch or "missing", None if torch else "delete the folder .venv and start again"),
        "device": find_device(),
        "memory": ("%.1f GB" % memory if memory else "unknown",
                   "little: close other programs while you train" if memory and memory < 4 else None),
        "disk": ("%.1f GB free" % disk, "little: make room, lessons write up to 1 GB" if disk < 1 else None),
    }
    for name, (value, advice) in lines.items():
        print("  %-7s %s" % (name, value) + ("   <- " + advice if advice else ""))
    if not torch:
        sys.exit("The course cannot run without torch.")


def lab(browser):
    """Open lesson 00 in JupyterLab; return when that has ended."""
    command = [str(PYTHON), "-m", "jupyterlab", "--ServerApp.root_dir=" + str(ROOT),
               "--LabApp.default_url=/lab/tree/" + LESSON.relative_to(ROOT).as_posix(),
               "--ServerApp.answer_yes=True", "--log-level=WARN"]  # so that Ctrl-C asks nothing
    command += [] if browser else ["--no-browser"]
    command += ["--allow-root"] if not WINDOWS and os.geteuid() == 0 else []  # in a container
    print("%s Ctrl-C here ends JupyterLab." % (
        "Opening lesson 00." if browser else "Open the http address below in a browser."))
    jupyter = subprocess.Popen(command, cwd=str(ROOT), env=environment())
    try:
        signal.signal(signal.SIGTERM, lambda *_: jupyter.terminate())
        return jupyter.wait()
    except KeyboardInterrupt:  # JupyterLab got it as well and ends by itself
        try:
            jupyter.wait(timeout=10)
        except subprocess.TimeoutExpired:
            jupyter.terminate()
        return 0 * jupyter.wait()


def run_lanes(names):
    """Run all these lanes, also after one has failed; the exit status says whether any has."""
    results = []
    (ROOT / "build").mkdir(exist_ok=True)
    for name in names:
        print("\n==== %s" % name)
        more, commands = LANES[name]
        began = time.time()
        with tempfile.TemporaryDirectory(prefix="lane-", dir=str(ROOT / "build")) as folder:
            ready = [[str(PYTHON)] + [word.replace(FOLDER, folder) for word in words] for words in commands]
            result = "passed" if all(run(command, more) == 0 for command in ready) else "FAILED"
        results.append((name, time.time() - began, result))
        print("==== %s %s in %.1f s" % (name, result, results[-1][1]))
    print("\n%-10s %8s  result" % ("lane", "seconds"))
    for line in results:
        print("%-10s %8.1f  %s" % line)
    return int(any(result == "FAILED" for _, _, result in results))


def parse(arguments):
    """The command, the lanes and the options asked for."""
    options = {word for word in arguments if word.startswith("-")}
    words = [word for word in arguments if word not in options] or ["lab"]
    if options - {"--no-browser", "--locked"}:
        print(__doc__)
        sys.exit(0 if options & {"-h", "--help"} else "There are no other options than these.")
    if words[0] not in ("lab", "test") or (words[0] == "lab" and words[1:]):
        sys.exit("There is no command '%s': it is `lab` or `test [LANE ...]`." % " ".join(words))
    unknown = [name for name in words[1:] if name not in LANES]
    if unknown:
        sys.exit("There is no lane '%s': the lanes are %s." % (unknown[0], ", ".join(LANES)))
    return words[0], words[1:] or list(LANES), options


def main(argv=None):
    sys.stdout.reconfigure(line_buffering=True, errors="replace")  # each line out at once
    command, lanes, options = parse(sys.argv[1:] if argv is None else argv)
    testing = command == "test"
    if sys.maxsize < 2**32 or (sys.platform == "darwin" and platform.machine() == "x86_64"):
        sys.exit("torch has no build for this Python, a 32-bit one or one for Intel Macs: get the 64-bit one "
                 "from python.org; on an Intel Mac take the course in Colab.")
    if not testing and not LESSON.is_file():
        sys.exit("%s is missing: fetch the whole repository again." % LESSON)
    try:
        install(dev=testing, locked="--locked" in options)
        report()
        return run_lanes(lanes) if testing else lab(browser="--no-browser" not in options)
    except KeyboardInterrupt:
        print("\nStopped. Start again to go on from here.")
        return 130
    except OSError as error:
        sys.exit("This went wrong: %s" % error)


if __name__ == "__main__":
    sys.exit(main())
