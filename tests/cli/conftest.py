"""Runs the program as a person's shell would: a process of its own, a home of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

PROGRAM = (sys.executable, "-c", "import sys; from ratchet.cli import main; sys.exit(main())")
OURS = ("RATCHET_", "HELPDESK_")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The test's own environment, without anything that would point the program elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS) and k not in ("NO_COLOR", "CLICOLOR_FORCE")}
    return {**kept, "RATCHET_HOME": str(home), **(extra or {})}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def ratchet(home: Path) -> Run:
    """`ratchet(*words, env=..., text=...)`: one line, off a terminal."""

    def run(*words: str, env: Mapping[str, str] | None = None, text: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*PROGRAM, *words], input=text, capture_output=True, text=True, timeout=60, env=environment(home, env),
            check=False,
        )  # fmt: skip

    return run
