"""Lint for pipelines: SARIF 2.1.0 for code hosts, JUnit XML for build servers."""

import json
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ratchet import __version__
from ratchet.cli.words import clean, unseen_escaped
from ratchet.desk.views import LintView
from ratchet.domain.errors import Mistake

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Sequence[LintView]) -> str:
    """One SARIF run with a result per mistake."""
    mistakes = [mistake for each in found for mistake in each.mistakes]
    driver = {
        "name": "ratchet", "version": __version__,
        "rules": [{"id": code} for code in sorted({mistake.code for mistake in mistakes})],
    }  # fmt: skip
    run = {"tool": {"driver": driver}, "results": [_result(mistake) for mistake in mistakes]}
    body = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return unseen_escaped(json.dumps(body, indent=2, ensure_ascii=False))


def _result(mistake: Mistake) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": mistake.where}}
    if mistake.line is not None:
        place["region"] = {"startLine": mistake.line}
    text = f"{mistake.message} {mistake.remedy}"
    return {
        "ruleId": mistake.code, "level": "error", "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }  # fmt: skip


def junit(found: Sequence[LintView]) -> str:
    """One suite with a case per file."""
    failed = sum(bool(each.mistakes) for each in found)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuite name="ratchet vault lint" tests="{len(found)}" failures="{failed}" errors="0">',
    ]
    for each in found:
        lines.append(f'  <testcase classname="playbook" name={quoteattr(clean(each.where))}>')
        if each.mistakes:
            told = "\n".join(clean(str(mistake)) for mistake in each.mistakes)
            said = quoteattr(f"{len(each.mistakes)} mistakes")
            lines.append(f"    <failure message={said}>{escape(told)}</failure>")
        lines.append("  </testcase>")
    return "\n".join([*lines, "</testsuite>"])
