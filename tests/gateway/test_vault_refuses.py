"""What the vault does not keep and does not hand out, over a wired house: secrets, hidden characters, changed texts."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from ratchet.config import Settings
from ratchet.domain.target import SecretRef, Target
from ratchet.store import tables as t
from ratchet.vault.seeding import shipped_texts
from ratchet.wiring.house import House, open_house
from tests.gateway.conftest import Street
from tests.gateway.test_vault_over_http import FLEET, SERIES, Fleet

SHIPPED = shipped_texts()[f"{SERIES}.playbook.yaml"]
CHANGED = "pbs_vacuum_triage"
SECRET = "hunter2hunter2"


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = open_house(Settings(home=tmp_path_factory.mktemp("state") / "ratchet"), lambda _: None)
    house.store.put_target(Target(name="shop-db", kind="postgres", diag=SecretRef(kind="env", name="D")), "user:ana")
    yield house
    house.close()


@pytest.fixture
def fleet(wired: House, _street: Street) -> Fleet:
    return Fleet(wired, _street)


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"guidance": f"Look.\nThen password={SECRET} helps.\n"}, "PB020", "guidance, its line 2, character 6"),
        ({"guidance": "Look.\nThen \u202etwice\u202c.\n"}, "PB029", "guidance, its line 2, character 6"),
        ({"guidance": "\x1b[2KLook."}, "PB029", "guidance, its line 1, character 1"),
        ({"team": "group:\x1b[2K\x1b[1A"}, "PB029", "team, its line 1"),
        ({"owner": "user:default/a\u200bna"}, "PB029", "owner, its line 1"),
        ({"text": SHIPPED.replace("  guidance: |\n", f"  guidance: |\n    password={SECRET}\n")}, "PB020", "guidance"),
    ],
)  # fmt: skip
def test_an_edit_with_a_secret_or_a_hidden_character_is_refused_with_its_place_and_nothing_is_kept(
    fleet: Fleet, change: dict[str, str], code: str, place: str
) -> None:
    draft = fleet.draft()
    change = {key: text.replace("version: '1.0'", f"version: '{draft['version']}'") for key, text in change.items()}
    answer = fleet.send("PUT", f"{FLEET}/{draft['id']}", json=change)
    said = answer.json()
    assert (answer.status_code, said["code"]) == (400, "invalid")
    (mistake,) = said["mistakes"]
    assert (mistake["code"], place in mistake["message"]) == (code, True)
    assert SECRET not in answer.text
    assert fleet.get(f"{FLEET}/{draft['id']}") == draft
    assert all(SECRET not in str(each.event) for each in fleet.house.store.series_timeline(SERIES))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("  guidance: |\n", f"  guidance: |\n    password={SECRET}\n", "PB020"),
        ("  guidance: |\n", "  guidance: |\n    a \u202e b\n", "PB029"),
        ("  ai_executable: true", '  team: "group:\\e[2K\\e[1A"\n  ai_executable: true', "PB029"),
        ("  guidance: |\n", "  guidance: |\n    a \x1b[2K b\n", "PB001"),
    ],
)
def test_a_file_with_a_secret_or_a_hidden_character_is_no_draft_and_its_line_is_told(
    fleet: Fleet, old: str, new: str, code: str
) -> None:
    assert old in SHIPPED
    before = fleet.get(FLEET)
    answer = fleet.send("POST", FLEET, json={"text": SHIPPED.replace(old, new, 1), "where": "a.yaml"})
    (mistake,) = answer.json()["mistakes"]
    line = SHIPPED[: SHIPPED.index(old)].count("\n") + 1
    assert (answer.status_code, mistake["code"]) == (400, code)
    assert line <= mistake["line"] <= line + 1
    assert fleet.get(FLEET) == before and SECRET not in answer.text


def test_the_reason_of_a_draft_is_one_clean_line_in_its_text(fleet: Fleet) -> None:
    reason = f"the old one\x1b[2K said password={SECRET}"
    view = fleet.send("POST", f"{FLEET}/{SERIES}/draft", json={"reason": reason}).json()
    text = fleet.get(f"{FLEET}/{view['id']}")["text"]
    assert "because: the old one [2K said password=[secret:" in text and SECRET not in text


def test_a_source_that_there_is_not_is_refused_and_not_answered_with_nothing(fleet: Fleet) -> None:
    answer = fleet.send("GET", f"{FLEET}?source=bogus")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "system" in answer.text and "imported" in answer.text
    assert fleet.get(f"{FLEET}?source=imported") == {"playbooks": []}


@pytest.mark.parametrize("path", ["", "/review", "/diff", "@1.0"])
def test_a_text_that_was_changed_behind_the_vault_is_not_handed_out(fleet: Fleet, path: str) -> None:
    tampered(fleet)
    answer = fleet.send("GET", f"{FLEET}/{CHANGED}{path}")
    assert answer.json()["code"] == "failed", answer.text
    assert "is not the one that was kept under its digest" in answer.json()["detail"]
    assert "audit verify" in answer.json()["remedy"]


def test_a_changed_text_is_neither_copied_nor_rendered_and_can_still_be_replaced(fleet: Fleet) -> None:
    tampered(fleet)
    for method, place in (("POST", f"{FLEET}/{CHANGED}/draft"), ("GET", f"/api/v1/playbooks/{CHANGED}/render")):
        answer = fleet.send(method, place, json={"reason": "x"} if method == "POST" else None)
        assert "is not the one that was kept under its digest" in answer.text
    shipped = shipped_texts()[f"{CHANGED}.playbook.yaml"]
    text = shipped.replace("  ai_executable: true", "  owner: user:default/ana\n  ai_executable: true", 1)
    assert text != shipped
    new = fleet.send("POST", FLEET, json={"text": text, "where": "a.yaml"})
    assert new.status_code == 201, new.text
    examined = fleet.get(f"{FLEET}/{new.json()['playbook']['id']}/review")
    difference = examined["difference"]
    assert difference["before"].startswith(CHANGED), "the series still has an active version"
    assert len(difference["changes"]) > 3, "but all is new against a text that cannot be read"


def tampered(fleet: Fleet) -> None:
    """Somebody wrote into the state past Ratchet: the active text is another one under the same digest."""
    store = fleet.house.store
    series = store.series(CHANGED)
    assert series.active is not None
    changed = series.active.model_copy(update={"text": series.active.text.replace("escalate", "proceed")})
    others = tuple(changed if one.id == changed.id else one for one in series.versions)
    body = series.model_copy(update={"versions": others}).model_dump_json()
    with store._journal.writing("somebody") as ledger:
        ledger.connection.execute(update(t.series).where(t.series.c.id == CHANGED).values(body=body))
