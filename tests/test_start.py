"""start.py and .ci/run: set-up, report and lanes, with nothing installed and no network."""

import ast
import ctypes
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
FILES = ("start.py", "requirements.txt", "requirements-dev.txt", "constraints.txt", "pyproject.toml")
posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")


@pytest.fixture
def start(tmp_path, monkeypatch):
    """start.py as a module, in a repository of its own whose `run` only writes down the commands."""
    for name in FILES:
        shutil.copy(REPOSITORY / name, tmp_path / name)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_start_here.ipynb").write_text("{}")
    spec = importlib.util.spec_from_file_location("start_under_test", tmp_path / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.commands = []
    module.real_run = module.run
    monkeypatch.setattr(module, "run", lambda command, more=(): pretend(module, command))
    monkeypatch.setattr(module, "lab", lambda browser: module.commands.append(["lab", browser]) or 0)
    monkeypatch.setattr(module, "free_gb", lambda: 100.0)
    return module


def pretend(start, command):
    """What a command would leave in .venv."""
    start.commands.append(command)
    if "venv" in command:
        shutil.rmtree(start.VENV, ignore_errors=True)
        put(start.PYTHON)
        put(start.SITE_PACKAGES / "pip-1.0.dist-info" / "RECORD")
        put(start.VENV / "pyvenv.cfg", f"home = {start.ROOT}\nversion = {start.VERSION}.1\n")
    elif "-r" in command:
        put(start.SITE_PACKAGES / "torch-9.8.dist-info" / "RECORD")
    return 0


def put(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def commands_of(start, *arguments):
    """The commands that one call of start.py runs."""
    start.commands.clear()
    assert start.main(list(arguments)) == 0
    return list(start.commands)


def pip_calls(commands):
    return [command[command.index("pip") + 1 :] for command in commands if "pip" in command]


# ---- set-up


def test_the_first_start_installs_and_the_second_only_opens_the_lesson(start):
    first = commands_of(start)
    assert first[0][1:] == ["-m", "venv", "--clear", str(start.VENV)]
    assert all(command[0] == str(start.PYTHON) for command in first[1:3])
    assert pip_calls(first) == [["install", "-r", "requirements.txt"], ["install", "--no-deps", "-e", "."]]
    assert first[3:] == [["lab", True]]
    assert commands_of(start, "lab", "--no-browser") == [["lab", False]]


@pytest.mark.parametrize(
    ("name", "old", "new", "installs"),
    [
        ("requirements.txt", r"\Z", "colorama>=0.4\n", True),
        ("pyproject.toml", '"tqdm>=', '"colorama>=0.4", "tqdm>=', True),
        ("pyproject.toml", r"\Z", "# another setting of pytest\n", False),
        ("requirements-dev.txt", r"\Z", "colorama>=0.4\n", False),
    ],
)
def test_a_change_of_what_is_needed_installs_again(start, name, old, new, installs):
    commands_of(start)
    path = start.ROOT / name
    text, changes = re.subn(old, new, path.read_text())
    assert changes == 1
    path.write_text(text)
    assert bool(pip_calls(commands_of(start))) == installs
    assert not pip_calls(commands_of(start))


def test_an_install_counts_for_less_than_itself_and_not_for_more(start, monkeypatch):
    monkeypatch.setattr(start, "LANES", {})
    commands_of(start, "lab")
    dev = pip_calls(commands_of(start, "test"))
    assert dev[0] == ["install", "-r", "requirements-dev.txt"]
    assert not pip_calls(commands_of(start, "lab"))
    locked = pip_calls(commands_of(start, "test", "--locked"))
    assert locked[0] == ["install", "-r", "requirements-dev.txt", "-c", "constraints.txt"]
    assert not pip_calls(commands_of(start, "lab", "--locked"))
    assert not pip_calls(commands_of(start, "test"))


def test_a_moved_repository_is_installed_again(start, monkeypatch):
    commands_of(start)
    stamp = start.STAMP.read_text()
    assert f"folder {start.ROOT}" in stamp
    start.STAMP.write_text(stamp.replace(str(start.ROOT), "/elsewhere"))
    assert pip_calls(commands_of(start))


def test_a_failing_pip_names_its_command_and_the_causes_and_is_repaired(start, monkeypatch):
    commands_of(start)
    put(start.ROOT / "requirements.txt", "torch>=2.7\n")
    monkeypatch.setattr(start, "run", lambda command, more=(): 1)
    with pytest.raises(SystemExit) as stop:
        start.main([])
    words = str(stop.value)
    assert "-m pip install -r requirements.txt" in words
    assert all(part in words for part in ("PIP_NO_INDEX=1", "PIP_FIND_LINKS", "100.0 GB are free", start.VERSION))
    assert "pip download -r requirements.txt setuptools" in words
    assert not start.STAMP.exists()
    shutil.copy(REPOSITORY / "requirements.txt", start.ROOT)  # not even the old state counts as installed now
    monkeypatch.setattr(start, "run", lambda command, more=(): pretend(start, command))
    assert len(pip_calls(commands_of(start))) == 2


def test_an_interrupted_install_is_repaired(start, monkeypatch):
    def interrupted(command, more=()):
        if "pip" not in command:
            return pretend(start, command)
        put(start.SITE_PACKAGES / "torch-9.8.dist-info" / "METADATA")  # pip was killed before it wrote RECORD
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "run", interrupted)
    assert start.main([]) == 130

    def second(command, more=()):
        half = start.SITE_PACKAGES / "torch-9.8.dist-info"
        if "-r" in command:
            assert not half.exists(), "pip would take this half-installed package for installed"
        return pretend(start, command)

    monkeypatch.setattr(start, "run", second)
    assert len(pip_calls(commands_of(start))) == 2
    assert (start.SITE_PACKAGES / "pip-1.0.dist-info").exists()
    assert commands_of(start) == [["lab", True]]


def test_a_torch_that_is_gone_is_installed_again(start):
    commands_of(start)
    shutil.rmtree(start.SITE_PACKAGES / "torch-9.8.dist-info")
    assert pip_calls(commands_of(start))


def test_what_is_no_venv_is_refused_and_left_alone(start):
    put(start.VENV / "deep" / "thesis.txt", "mine")
    with pytest.raises(SystemExit, match="no virtual environment and was left alone"):
        start.main([])
    assert start.commands == []
    assert (start.VENV / "deep" / "thesis.txt").read_text() == "mine"
    shutil.rmtree(start.VENV)
    put(start.VENV, "a file")
    with pytest.raises(SystemExit, match="no virtual environment"):
        start.main([])
    assert start.commands == [] and start.VENV.read_text() == "a file"


def test_an_empty_folder_is_used(start):
    (start.VENV / "bin").mkdir(parents=True)
    assert "venv" in commands_of(start)[0]


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda start: start.PYTHON.unlink(), "is gone"),
        (lambda start: put(start.VENV / "pyvenv.cfg", f"home = /nowhere\nversion = {start.VERSION}.1"), "is gone"),
        (lambda start: put(start.VENV / "pyvenv.cfg", f"home = {start.ROOT}\nversion = 3.9.1"), "another Python"),
        (lambda start: (start.SITE_PACKAGES / "pip-1.0.dist-info" / "RECORD").unlink(), "no complete pip"),
    ],
)
def test_a_broken_venv_is_made_anew_with_a_sentence(start, capsys, harm, says):
    commands_of(start)
    harm(start)
    capsys.readouterr()
    commands = commands_of(start)
    assert "venv" in commands[0] and len(pip_calls(commands)) == 2
    sentence = capsys.readouterr().out.splitlines()[0]
    assert says in sentence and "making it anew" in sentence


def test_a_python_without_venv_names_the_package(start, monkeypatch):
    monkeypatch.setattr(start, "find_spec", lambda name: None if name == "ensurepip" else name)
    with pytest.raises(SystemExit, match=re.escape(f"sudo apt install python{start.VERSION}-venv")):
        start.main([])
    assert start.commands == []


def test_a_full_disk_stops_before_pip_and_a_small_one_warns(start, monkeypatch, capsys):
    monkeypatch.setattr(start, "free_gb", lambda: 0.4)
    with pytest.raises(SystemExit, match=r"Only 0\.4 GB are free"):
        start.main([])
    assert not pip_calls(start.commands)
    monkeypatch.setattr(start, "free_gb", lambda: 2.5)
    assert len(pip_calls(commands_of(start))) == 2
    assert "Only 2.5 GB are free" in capsys.readouterr().out


def test_a_missing_lesson_stops_before_the_install(start):
    start.LESSON.unlink()
    with pytest.raises(SystemExit, match=r"00_start_here\.ipynb is missing"):
        start.main([])
    assert start.commands == []


def test_an_error_of_the_system_is_a_sentence(start, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "/x/.venv")

    monkeypatch.setattr(start, "run", refuse)
    with pytest.raises(SystemExit, match=r"This went wrong: .*Permission denied"):
        start.main([])


# ---- the report


def report_of(start, capsys, **facts):
    for name, value in facts.items():
        setattr(start, name, lambda value=value: value)
    capsys.readouterr()
    start.report()
    return {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}


def test_the_report_has_five_lines_and_no_advice_where_all_is_well(start, capsys):
    put(start.SITE_PACKAGES / "torch-2.14.1.dist-info" / "RECORD")
    lines = report_of(start, capsys, memory_gb=16.0, free_gb=50.0, find_device=("cpu", None))
    assert list(lines) == ["Python", "torch", "device", "memory", "disk"]
    assert "2.14.1" in lines["torch"] and "16.0 GB" in lines["memory"] and "50.0 GB" in lines["disk"]
    assert not any("<-" in line for line in lines.values())


def test_the_report_says_what_to_do(start, capsys):
    put(start.SITE_PACKAGES / "torch-2.14.1.dist-info" / "RECORD")
    lines = report_of(start, capsys, memory_gb=3.9, free_gb=0.7, find_device=("cpu", "run nvidia-smi"))
    assert "<- little: close other programs" in lines["memory"]
    assert "<- little: make room" in lines["disk"]
    assert "<- run nvidia-smi" in lines["device"]
    assert report_of(start, capsys, memory_gb=None)["memory"].endswith("unknown")


def test_without_torch_the_report_says_so_and_stops(start, capsys):
    with pytest.raises(SystemExit, match="cannot run without torch"):
        start.report()
    assert "missing   <- delete the folder .venv" in capsys.readouterr().out


@posix
def test_memory_and_disk_are_those_of_this_computer(start, monkeypatch):
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    assert start.memory_gb() == pytest.approx(total, rel=0.01)


def test_memory_on_windows_is_read_from_the_right_place(start, monkeypatch):
    class Kernel:
        @staticmethod
        def GlobalMemoryStatusEx(reference):
            raw = (ctypes.c_uint64 * 8).from_buffer(reference._obj)
            assert raw[0] & 0xFFFFFFFF == ctypes.sizeof(reference._obj) == 64
            raw[1] = 17_000_000_000  # ullTotalPhys, after the two 32-bit fields dwLength and dwMemoryLoad
            return 1

    monkeypatch.setattr(start, "WINDOWS", True)
    monkeypatch.setattr(start.ctypes, "windll", type("W", (), {"kernel32": Kernel}), raising=False)
    assert start.memory_gb() == 17.0


@posix
@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac computes on mps")
@pytest.mark.parametrize(
    ("script", "cuda", "value", "advice"),
    [
        (None, "'13.0'", "cpu", None),
        ('echo "GPU 0: Tesla T4 (UUID: GPU-12)"', "'13.0'", "cuda, Tesla T4", None),
        ('echo "GPU 0: Tesla T4 (UUID: GPU-12)"', "None", "cpu", "this torch cannot use"),
        ("echo no driver; exit 9", "'13.0'", "cpu", "driver does not work"),
        (f"exec {shutil.which('sleep')} 20", "'13.0'", "cuda or cpu", "did not answer"),
    ],
)
def test_the_device_is_found_without_torch(start, tmp_path, monkeypatch, script, cuda, value, advice):
    monkeypatch.delenv("GAN_COURSE_DEVICE", raising=False)
    put(start.SITE_PACKAGES / "torch" / "version.py", f"__all__ = ['cuda']\ncuda: Optional[str] = {cuda}\n")
    tools = tmp_path / "tools"
    if script:
        executable(tools / "nvidia-smi", script)
    monkeypatch.setenv("PATH", str(tools))
    began = time.time()
    found, what_to_do = start.find_device()
    assert found.startswith(value) and (advice is None) == (what_to_do is None)
    assert advice is None or advice in what_to_do
    assert time.time() - began < 5
    monkeypatch.setenv("GAN_COURSE_DEVICE", "mps")
    assert start.find_device()[0].startswith("mps")


def executable(path, script):
    put(path, "#!/bin/sh\n" + script + "\n")
    path.chmod(0o755)


# ---- the commands


def test_the_users_settings_do_not_matter_and_pips_do(start, monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, "/users/own")
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    monkeypatch.setenv("PIP_USER", "1")
    env = start.environment({"OMP_NUM_THREADS": "1"})
    assert not [name for name, value in env.items() if value == "/users/own"]
    assert env["PIP_FIND_LINKS"] == "/wheels" and env["PIP_USER"] == "0" and env["OMP_NUM_THREADS"] == "1"
    assert env["JUPYTER_PREFER_ENV_PATH"] == "1"
    assert env["PATH"].split(os.pathsep)[0] == str(start.PYTHON.parent)


def test_a_failing_lane_gives_1_and_the_later_ones_still_run(start, monkeypatch, capfd):
    monkeypatch.setattr(start, "run", start.real_run)
    monkeypatch.setattr(start, "PYTHON", Path(sys.executable))
    note = "import os, pathlib; pathlib.Path('ran').write_text(os.environ['COLOUR'])"
    lanes = {
        "bad": ({}, [["-c", "raise SystemExit(3)"], ["-c", "open('after_the_failure', 'w')"]]),
        "good": ({"COLOUR": "red"}, [["-c", note]]),
    }
    monkeypatch.setattr(start, "LANES", lanes)
    assert start.run_lanes(["bad", "good"]) == 1
    assert (start.ROOT / "ran").read_text() == "red"
    assert not (start.ROOT / "after_the_failure").exists()
    summary = capfd.readouterr().out.split("lane ")[-1]
    assert re.search(r"^bad +\d+\.\d  FAILED$", summary, re.M)
    assert re.search(r"^good +\d+\.\d  passed$", summary, re.M)
    assert start.run_lanes(["good"]) == 0


def test_the_lanes_are_what_the_design_says(start, monkeypatch):
    seen = []
    monkeypatch.setattr(start, "run", lambda command, more=(): seen.append((command[1:], dict(more))) or 0)
    assert start.run_lanes(list(start.LANES)) == 0
    smoke = {"GAN_COURSE_PROFILE": "smoke", "OMP_NUM_THREADS": "1"}
    nbval = "--nbval-lax --nbval-current-env --nbval-cell-timeout=300 -p no:cacheprovider -n 2 --dist loadfile"
    lint, build, tests, notebooks, solve, solved, browser = seen
    assert lint == (["-m", "ruff", "check", "."], {})
    assert build == (["tools/build_notebooks.py", "--check"], {})
    assert tests == (["-m", "pytest", "tests", "-m", "not browser", "-n", "2"], {"OMP_NUM_THREADS": "1"})
    assert notebooks == (["-m", "pytest", *nbval.split(), "notebooks"], smoke)
    folder = solve[0][-1]
    assert solve == (["tools/build_notebooks.py", "--solved", folder], {**smoke, "COURSE_STRICT": "1"})
    assert solved == (["-m", "pytest", *nbval.split(), folder], {**smoke, "COURSE_STRICT": "1"})
    assert Path(folder).parent == start.ROOT / "build" and not Path(folder).exists()
    assert browser == (["-m", "pytest", "tests", "-m", "browser"], {})


def test_only_the_named_lanes_run(start, monkeypatch):
    monkeypatch.setattr(start, "LANES", {name: ({}, [[name]]) for name in ("lint", "tests", "browser")})
    ran = [command[-1] for command in commands_of(start, "test", "--locked", "browser", "lint")]
    assert ran[-2:] == ["browser", "lint"] and "tests" not in ran
    assert [command[-1] for command in commands_of(start, "test")][-3:] == ["lint", "tests", "browser"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["test", "lint", "fast"], "no lane 'fast': the lanes are lint, tests, notebooks, solved, browser"),
        (["lint"], "no command 'lint'"),
        (["lab", "lint"], "no command 'lab lint'"),
        (["--nobrowser"], "no other options"),
    ],
)
def test_a_wrong_word_is_answered_with_a_sentence(start, arguments, says):
    with pytest.raises(SystemExit, match=says):
        start.main(arguments)
    assert start.commands == []


def test_help_is_no_failure(start, capsys):
    with pytest.raises(SystemExit) as stop:
        start.main(["--help"])
    assert stop.value.code == 0 and "python start.py test" in capsys.readouterr().out


@posix
@pytest.mark.parametrize("send", ["Ctrl-C", "SIGTERM to start.py alone"])
def test_the_lab_ends_cleanly(start, send):
    """A real start.py, with a .venv that is already set up and a Python that stands in for JupyterLab."""
    pretend(start, ["venv"])
    pretend(start, ["-r"])
    stand_in = 'trap "echo jupyter ended; exit 0" INT TERM; sleep 0.5; echo "$@"; while :; do sleep 0.1; done'
    executable(start.PYTHON, stand_in)
    start.STAMP.write_text("\n".join(start.stamp_lines(dev=False, locked=False)))
    process = subprocess.Popen(
        [sys.executable, "start.py", "--no-browser"],
        cwd=start.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # Tests that run in the background ignore Ctrl-C, and what they start would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    seen = []
    while not seen or "jupyterlab" not in seen[-1]:
        seen.append(process.stdout.readline())
        assert seen[-1], seen
    assert "--no-browser" in seen[-1] and "/lab/tree/notebooks/00_start_here.ipynb" in seen[-1]
    if send == "Ctrl-C":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    rest = process.communicate(timeout=20)[0]
    assert process.returncode == 0
    assert "jupyter ended" in rest and "Traceback" not in rest


def test_nbval_runs_the_python_it_was_started_with(start, tmp_path, monkeypatch):
    """Even where the user has a kernel called python3 that is something else."""
    bad = {"argv": ["/no/such/python", "-f", "{connection_file}"], "display_name": "bad", "language": "python"}
    for home in ("jupyter", "home/.local/share/jupyter", "home/Library/Jupyter"):
        put(tmp_path / home / "kernels" / "python3" / "kernel.json", json.dumps(bad))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    source = f"import sys\nassert sys.prefix == {sys.prefix!r}, sys.prefix"
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [cell]}
    put(tmp_path / "notebooks" / "00_start_here.ipynb", json.dumps(notebook))
    command = [sys.executable, *start.NBVAL, "-n", "0", "notebooks"]
    answer = subprocess.run(command, cwd=start.ROOT, env=start.environment(), capture_output=True, text=True)
    assert answer.returncode == 0 and "1 passed" in answer.stdout, answer.stdout + answer.stderr


# ---- the file itself, .ci/run and constraints.txt


def test_an_old_python_gets_one_sentence(start):
    code = "import sys; sys.version_info = (3, 9, 1); exec(compile(open('start.py').read(), 'start.py', 'exec'))"
    answer = subprocess.run([sys.executable, "-c", code], cwd=start.ROOT, capture_output=True, text=True)
    assert answer.returncode == 1 and answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("The course needs Python 3.10 or newer and this is Python 3.9:")


def test_an_old_python_can_read_the_file():
    """It has to compile all of it before it can print that sentence, so there is no syntax newer than 2.7."""
    source = (REPOSITORY / "start.py").read_bytes()
    source.decode("ascii")
    tree = ast.parse(source)
    new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.AsyncFunctionDef, ast.Await, ast.YieldFrom)
    for node in ast.walk(tree):
        assert not isinstance(node, new), ast.unparse(node)
        if isinstance(node, ast.Starred):
            assert any(node in call.args for call in ast.walk(tree) if isinstance(call, ast.Call)), ast.unparse(node)
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            assert not (arguments.kwonlyargs or arguments.posonlyargs or node.returns), node.name
            assert not any(argument.annotation for argument in arguments.args), node.name
        if isinstance(node, ast.Dict):
            assert None not in node.keys, ast.unparse(node)
        if isinstance(node, ast.Raise):
            assert node.cause is None, ast.unparse(node)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
            assert len(node.args) <= 1 and not node.keywords, ast.unparse(node)


def test_start_needs_nothing_but_the_standard_library():
    tree = ast.parse((REPOSITORY / "start.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


@posix
@pytest.mark.parametrize("has_chromium", [True, False])
def test_ci_runs_start_test_and_fetches_a_browser_where_there_is_none(tmp_path, has_chromium):
    shutil.copytree(REPOSITORY / ".ci", tmp_path / ".ci")
    tools, log = tmp_path / "tools", tmp_path / "log"
    executable(tools / "python3", f'[ "$1" = -c ] || echo "python3 $@ in $(pwd)" >> "{log}"')
    executable(tools / "apt-get", f'echo "apt-get $@" >> "{log}"')
    executable(tools / "sudo", 'exec "$@"')
    for name in ("dirname", "id", "env", "pwd"):
        (tools / name).symlink_to(shutil.which(name))
    if has_chromium:
        executable(tools / "chromium", "")
    bash = shutil.which("bash")
    answer = subprocess.run(
        [bash, ".ci/run"], cwd=tmp_path, env={"PATH": str(tools), "CI": "true"}, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    *before, last = log.read_text().splitlines()
    assert last == f"python3 start.py test --locked in {tmp_path}"
    if has_chromium:
        assert before == []
    else:
        assert before[0] == "apt-get update" and re.match(r"apt-get install .*chromium", before[1])
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)


def test_constraints_pin_everything_that_the_requirements_name():
    pins = [line for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line) for line in pins)
    pinned = dict(line.lower().replace("_", "-").split("==") for line in pins)
    assert len(pinned) == len(pins)
    assert not [name for name in pinned if name.startswith(("nvidia", "cuda", "triton", "gan-course"))]
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (REPOSITORY / name).read_text().splitlines():
            if line.startswith(("#", "-r")) or ";" in line:  # with a marker, it is not for the Python that CI has
                continue
            package, sign, bound = re.fullmatch(r"([\w-]+)(>=|<)([\d.]+)", line).groups()
            assert (numbers(pinned[package]) >= numbers(bound)) == (sign == ">="), line


def numbers(version):
    return [int(part) for part in version.split(".")]
