"""Set-up: which folder, what locks may say, when nothing is left to do, which Python."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import bootstrap
from tests.architecture.sources import ROOT

SOURCE = ROOT / "scripts" / "bootstrap.py"
INDEX = "https://packages.example/simple"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with locks and an empty .venv, as far as the stamp knows checkouts."""
    (tmp_path / "requirements").mkdir()
    for name in bootstrap.LOCKS:
        (tmp_path / "requirements" / f"{name}.lock").write_text(f"{name}-package==1.0\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(0o755)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "REQUIREMENTS", tmp_path / "requirements")
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", python)
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "stamp.json")
    return tmp_path


# — which folder ——————————————————————————————————————————————————————————————————————————————————————


@pytest.mark.parametrize("flag", ["--runtime", "--dev", "--lock"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (b"a:b", "a colon"),
        (b"a$b", "a dollar sign"),
        (b"a`b", "a backtick"),
        (b'a"b', "a double quote"),
        (b"a\\b", "a backslash"),
        (b"a\nb", "a line break"),
        (b"a\rb", "a carriage return"),
        (b"a\xffb", "a byte that is not UTF-8"),
    ],
)
def test_a_folder_in_which_nothing_would_work_is_refused_before_anything_is_made(
    tmp_path: Path, name: bytes, said: str, flag: str
) -> None:
    folder = tmp_path / os.fsdecode(name)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    (folder / "scripts").mkdir()
    for file in ("__init__.py", "bootstrap.py", "installer_settings.py"):
        shutil.copy(SOURCE.with_name(file), folder / "scripts")
    answer = subprocess.run(
        [sys.executable, folder / "scripts" / "bootstrap.py", flag], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert f"setup: the path of this folder has {said} in it" in answer.stderr
    assert answer.stdout == ""
    assert sorted(path.name for path in folder.iterdir()) == ["requirements", "scripts"]


@pytest.mark.parametrize("path", ["/home/me/hive", "/with blanks/it's", "/Bücher/100%/#1", "/π & more;/(a)=b!~*"])
def test_other_folders_are_fine(path: str) -> None:
    assert bootstrap.unfit_character(path) is None


# — locks ————————————————————————————————————————————————————————————————————————————————————————————


@pytest.mark.parametrize(
    "line",
    [
        f"--index-url {INDEX}",
        "--extra-index-url somewhere",
        "--find-links ./wheels",
        f"package @ {INDEX}/package-1.0.whl",
    ],
)
def test_a_lock_with_an_address_is_refused(line: str) -> None:
    assert bootstrap.names_address(f"package==1.0\n{line}\n")


@pytest.mark.parametrize("name", bootstrap.LOCKS)
def test_the_committed_locks_have_hashes_and_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.lock").read_text("utf-8")
    assert not bootstrap.names_address(text)
    assert bootstrap.count_packages(name) > 0
    assert text.count("--hash=sha256:") >= bootstrap.count_packages(name)


def test_a_compiled_lock_with_an_address_stops_the_compiling(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def compiles(command: list[str], *_: object, folder: Path) -> str:
        (folder / command[-1]).write_text(f"--index-url {INDEX}\npackage==1.0\n")
        return ""

    monkeypatch.setattr(bootstrap, "has_venv", lambda: True)
    monkeypatch.setattr(bootstrap, "find_uv", lambda _: "uv")
    monkeypatch.setattr(bootstrap, "run", compiles)
    with pytest.raises(bootstrap.SetupError, match=r"installer\.lock names an address"):
        bootstrap.compile_locks(upgrade=False)


# — the stamp ————————————————————————————————————————————————————————————————————————————————————————


def test_a_stamp_says_what_is_there(checkout: Path) -> None:
    assert not bootstrap.is_ready("runtime")
    bootstrap.write_stamp({"runtime": bootstrap.digest("runtime")})
    assert bootstrap.is_ready("runtime")
    assert not bootstrap.is_ready("dev")


def test_a_changed_lock_is_installed_again(checkout: Path) -> None:
    bootstrap.write_stamp({name: bootstrap.digest(name) for name in ("runtime", "dev")})
    (checkout / "requirements" / "runtime.lock").write_text("another==2.0\n")
    assert not bootstrap.is_ready("runtime")
    assert bootstrap.is_ready("dev")


def test_another_python_or_folder_needs_another_venv(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap.write_stamp({"runtime": bootstrap.digest("runtime")})
    elsewhere = {**bootstrap.identity(), "folder": "/another"}
    monkeypatch.setattr(bootstrap, "identity", lambda: elsewhere)
    assert not bootstrap.has_venv()
    assert not bootstrap.is_ready("runtime")


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"identity": 1}'])
def test_a_damaged_stamp_is_none(checkout: Path, damage: str) -> None:
    bootstrap.STAMP.write_text(damage)
    assert not bootstrap.has_venv()
    assert not bootstrap.is_ready("runtime")


def test_a_venv_that_lost_its_python_is_none(checkout: Path) -> None:
    bootstrap.write_stamp({"runtime": bootstrap.digest("runtime")})
    bootstrap.VENV_PYTHON.unlink()
    assert not bootstrap.is_ready("runtime")


def test_what_is_ready_is_not_set_up_again(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    monkeypatch.setattr(bootstrap, "install", installed.append)
    monkeypatch.setattr(bootstrap, "link_checkout", lambda: None)
    bootstrap.write_stamp({})
    assert bootstrap.main(["--dev"]) == 0
    assert bootstrap.main(["--dev"]) == 0
    assert bootstrap.main(["--runtime"]) == 0
    assert installed == ["dev"]


def test_a_set_up_that_fails_says_why(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: str) -> None:
        raise bootstrap.SetupError("no packages today")

    monkeypatch.setattr(bootstrap, "install", fails)
    bootstrap.write_stamp({})
    assert bootstrap.main(["--runtime"]) == 1
    assert "setup: no packages today" in capsys.readouterr().err
    assert not bootstrap.is_ready("runtime")


# — which Python —————————————————————————————————————————————————————————————————————————————————————


def test_an_older_python_is_told_what_to_do() -> None:
    pretending = f"import sys\nsys.version_info = (3, 10, 4)\nexec(compile(open({str(SOURCE)!r}).read(), 'b', 'exec'))"
    answer = subprocess.run([sys.executable, "-c", pretending], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.startswith("PantheraHive needs Python 3.11 or newer; this is 3.10")
    assert "make run PYTHON=" in answer.stderr


def test_an_older_python_can_read_the_file_that_far() -> None:
    ast.parse(SOURCE.read_text("utf-8"), feature_version=(3, 7))


def test_a_program_that_fails_is_told_by_its_last_lines() -> None:
    talking = "import sys\nfor number in range(100):\n    print(number)\nsys.exit(3)"
    said = bootstrap.run([sys.executable, "-c", talking]).splitlines()
    assert said == [str(number) for number in range(100 - bootstrap.ERROR_LINES_MAX, 100)]
    assert bootstrap.run([sys.executable, "-c", "pass"]) == ""
    assert bootstrap.run([sys.executable, "-c", "raise SystemExit(3)"]).endswith("ended with 3")
    assert "/no/such/program" in bootstrap.run(["/no/such/program"])
