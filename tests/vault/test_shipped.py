"""The playbooks of this release: names, versions, canonical form, pages, and the faults that exercise them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from ratchet.domain.differential import parsed
from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.lab.catalog import load_catalog
from ratchet.vault.canonical import canonical_text, digest, text_digest
from ratchet.vault.causes import shipped_causes
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.render import markdown
from ratchet.vault.schema import json_schema, schema_text
from ratchet.vault.seeding import shipped_texts

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
NAMES = {
    "pbs_access_triage": ("Access & Schema Triage", "1.0"),
    "pbs_connection_triage": ("Connection & Lock Triage", "1.0"),
    "pbs_db_config_recovery": ("Database Down — Configuration Recovery", "1.1"),
    "pbs_db_pitr_recovery": ("Database Down — Backup Restore & PITR", "1.1"),
    "pbs_db_restart_triage": ("Database Down — Restart Triage", "1.1"),
    "pbs_replication_lag": ("Replication Lag Triage", "1.0"),
    "pbs_slow_query_triage": ("Slow Query Triage", "1.0"),
    "pbs_storage_triage": ("Storage, WAL & Logging Triage", "1.0"),
    "pbs_vacuum_triage": ("Vacuum & Bloat Triage", "1.0"),
}
TEXTS = shipped_texts()
SECTIONS = ["Symptom", "Diagnosis", "Resolution", "Verification", "Escalation", "Prevention", "Owner"]


def test_the_system_playbooks_are_exactly_these(playbook_files: PlaybookFiles) -> None:
    found = [playbook_files.load(text, name) for name, text in TEXTS.items()]
    assert {p.metadata.series: (p.metadata.name, p.metadata.version) for p in found} == NAMES
    assert list(TEXTS) == [f"{series}.playbook.yaml" for series in sorted(NAMES)]
    assert {p.metadata.source for p in found} == {"system"}


@pytest.mark.parametrize("name", TEXTS)
def test_a_shipped_file_is_canonical_on_disk_and_reads_back_equal(playbook_files: PlaybookFiles, name: str) -> None:
    playbook = playbook_files.load(TEXTS[name], name)
    written = canonical_text(playbook)
    assert written == TEXTS[name]
    assert playbook_files.load(written, name) == playbook
    assert digest(playbook) == text_digest(TEXTS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_a_shipped_file_fits_the_schema_that_editors_use(name: str) -> None:
    jsonschema.validate(YAML(typ="safe").load(TEXTS[name]), json_schema())


def test_the_schema_in_the_reference_is_fresh() -> None:
    kept = Path(__file__).parents[2] / "docs/reference/playbook.schema.json"
    assert kept.read_text("utf-8") == schema_text()
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    data = YAML(typ="safe").load(TEXTS["pbs_vacuum_triage.playbook.yaml"])
    data["spec"]["verify"]["every"] = "soon"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json_schema())


@pytest.mark.parametrize("name", TEXTS)
def test_the_page_has_every_section_a_person_looks_for(playbook_files: PlaybookFiles, name: str) -> None:
    playbook = playbook_files.load(TEXTS[name], name)
    page = markdown(playbook)
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert headings == SECTIONS
    assert page.startswith(f"# {playbook.metadata.title}")
    for symptom in playbook.spec.symptoms:
        assert f"`{symptom}`" in page


def test_a_page_never_lets_a_text_become_markup(playbook_files: PlaybookFiles) -> None:
    playbook = playbook_files.load(TEXTS["pbs_vacuum_triage.playbook.yaml"], "x")
    said = ("<script>alert(1)</script>\n# heading", "` ``<img src=x onerror=y>", "&#27;[31m &lt;b&gt; [a](b) ![c](d)")
    spec = playbook.spec.model_copy(update={"symptoms": said, "guidance": "\n".join(said)})
    page = markdown(playbook.model_copy(update={"spec": spec}))
    shown = MarkdownIt().render(page)
    assert not [live for live in ("<script", "<img", "<a ", "<b>", "\x1b") if live in shown]
    assert shown.count("&lt;script&gt;") == 2
    assert "<h1>heading" not in shown


def test_only_a_lost_data_directory_is_left_to_people_whole(playbook_files: PlaybookFiles) -> None:
    acting = {p.metadata.series for p in (playbook_files.load(t, n) for n, t in TEXTS.items()) if p.spec.steps}
    assert acting == set(NAMES) - {"pbs_db_pitr_recovery"}


AWAITED: set[str] = set()
"""Causes of faults for which no playbook has its hypothesis, or its object, yet; this list may only become shorter."""


def test_every_fault_leads_to_a_series_that_knows_its_cause(playbook_files: PlaybookFiles) -> None:
    known = {p.metadata.series: p for p in (playbook_files.load(t, n) for n, t in TEXTS.items())}
    assert {fault.spec.cause for fault in load_catalog(()).faults.values()} <= shipped_causes().names
    for fault in load_catalog(()).faults.values():
        if fault.spec.control or fault.spec.cause in AWAITED:
            continue
        rules = known[fault.spec.series].spec.triage.hypotheses
        assert fault.spec.cause in {rule.cause for rule in rules}
        kinds = {item.kind for rule in rules if rule.cause == fault.spec.cause for item in rule.objects}
        assert fault.spec.object.kind in kinds


def test_every_cause_says_what_it_is_in_a_sentence() -> None:
    for name, cause in shipped_causes().causes.items():
        assert cause.sentence.endswith("."), name
        assert cause.family, name


@pytest.mark.parametrize("answer", list(Answer))
def test_a_criterion_is_left_out_for_want_of_a_login_and_for_no_failure(
    playbook_files: PlaybookFiles, answer: Answer
) -> None:
    found = [playbook_files.load(text, name) for name, text in TEXTS.items()]
    criteria = [c for p in found if p.spec.verify for c in p.spec.verify.criteria if ".answer" in (c.required_if or "")]
    assert {c.probe for c in criteria} == {"canary", "pools"}
    for each in criteria:
        seen = Evidence.of(ProbeCall(probe=each.probe, target="db"), NOW, 1.0, answer=answer)
        verdict = parsed(each.required_if or "").evaluate({each.probe: seen.scope(NOW)})
        assert verdict.value is (answer is not Answer.UNREGISTERED)
