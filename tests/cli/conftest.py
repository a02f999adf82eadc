"""Runs the program as a person's shell would: a process of its own, a home of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ratchet.lab.keeper import Asked, LabState, ask, read_state

PROGRAM = (sys.executable, "-c", "import sys; from ratchet.cli import main; sys.exit(main())")
OURS = ("RATCHET_", "HELPDESK_")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The test's own environment, without anything that would point the program elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS) and k not in ("NO_COLOR", "CLICOLOR_FORCE")}
    return {**kept, "RATCHET_HOME": str(home), **(extra or {})}


class Shell:
    """Lines typed into one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.history = home / "history" / "history.json"
        self.env = environment(home, {"HELPDESK_FAULT_HISTORY_FILE": str(self.history), "RATCHET_PERSON": "ana"})

    def __call__(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*PROGRAM, *words], input="", capture_output=True, text=True, timeout=180, env={**self.env, **more},
            check=False,
        )  # fmt: skip

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env
        )

    @property
    def lab(self) -> LabState:
        state = read_state(self.home / "lab" / "lab.json")
        assert state is not None
        return state

    def caused(self) -> dict[str, str]:
        return ask(self.lab, Asked(verb="status"))["caused"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def ratchet(home: Path) -> Run:
    """`ratchet(*words, env=..., text=...)`: one line, off a terminal."""

    def run(*words: str, env: Mapping[str, str] | None = None, text: str = "") -> "subprocess.CompletedProcess[str]":
        return said(home, *words, env=env, text=text)

    return run


def said(
    home: Path, *words: str, env: Mapping[str, str] | None = None, text: str = ""
) -> "subprocess.CompletedProcess[str]":
    """One line in a home, off a terminal."""
    return subprocess.run(
        [*PROGRAM, *words], input=text, capture_output=True, text=True, timeout=180, env=environment(home, env),
        check=False,
    )  # fmt: skip
