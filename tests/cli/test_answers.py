"""An answer names what was read: digests, prefixes, and no question where nobody can be asked."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from ratchet.cli.ask import confirm_name, reason_for
from ratchet.cli.commands.decision import _named, app, approve, paused_meanwhile
from ratchet.cli.refused import Stopped
from ratchet.desk.views import AutomationView, DecisionView
from ratchet.domain.errors import Code, Refusal

NUMBER = "f97c2c092a1f54c9f50eed84035f079c757a035e20d2a3e40e9563784d671dfe"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
VIEW = DecisionView(
    id="dec_1", incident="INC-1", title="End it", target="t", effect="disruptive", digest=f"sha256:{NUMBER}",
    state="pending", created_at=NOW, expires_at=NOW + timedelta(minutes=9),
)  # fmt: skip


@pytest.mark.parametrize(
    "given", [f"sha256:{NUMBER}", NUMBER, NUMBER[:12], f"sha256:{NUMBER[:20]}", NUMBER[:12].upper()]
)
def test_a_digest_may_be_whole_or_begun(given):
    assert _named(VIEW, given, "approve") == VIEW.digest


def test_a_whole_digest_of_another_packet_is_sent_as_it_is_so_that_the_desk_refuses_it():
    other = "0" * 64
    assert _named(VIEW, other, "approve") == f"sha256:{other}"


def test_the_beginning_of_another_packet_is_a_conflict():
    with pytest.raises(Refusal) as refused:
        _named(VIEW, "0" * 12, "approve")
    assert refused.value.code is Code.CONFLICT


@pytest.mark.parametrize("given", ["", "sha256:", NUMBER[:11], "approve", "sha256:xyz"])
def test_what_names_no_packet_is_refused(given):
    with pytest.raises(Refusal) as refused:
        _named(VIEW, given, "approve")
    assert refused.value.code is Code.INVALID


def test_without_a_digest_and_a_terminal_nothing_is_answered(monkeypatch):
    monkeypatch.setattr("ratchet.cli.commands.decision.someone_is_there", lambda: False)
    with pytest.raises(Stopped) as stopped:
        _named(VIEW, None, "approve")
    assert stopped.value.exit_code == 3


def test_on_a_terminal_the_packet_that_is_shown_is_the_one_that_is_named(monkeypatch):
    monkeypatch.setattr("ratchet.cli.commands.decision.someone_is_there", lambda: True)
    assert _named(VIEW, None, "approve") == VIEW.digest


def test_a_yes_without_the_digest_that_was_read_approves_nothing_on_a_terminal_either(monkeypatch):
    monkeypatch.setattr("ratchet.cli.commands.decision.someone_is_there", lambda: True)
    with pytest.raises(Stopped) as stopped:
        approve(typer.Context(typer.main.get_command(app)), "dec_1", yes=True)
    assert stopped.value.exit_code == 3
    assert "--yes --digest" in stopped.value.remedy


@pytest.mark.parametrize("given", [None, "other-db", ""])
def test_a_destructive_act_needs_its_target_by_name(given, monkeypatch):
    monkeypatch.setattr("ratchet.cli.ask.someone_is_there", lambda: False)
    with pytest.raises(Stopped) as stopped:
        confirm_name("shop-db", given)
    assert stopped.value.exit_code == 3


def test_the_name_of_the_target_goes_through():
    confirm_name("shop-db", "shop-db")


@pytest.mark.parametrize("given", ["  ", "a" * 4001])
def test_a_reason_that_says_nothing_or_too_much_is_refused_in_words_before_anything_is_asked(given):
    with pytest.raises(Refusal) as no:
        reason_for("pause the automation", given)
    assert no.value.message.startswith("A reason ") and no.value.remedy
    assert reason_for("pause the automation", " on purpose ") == "on purpose"


def test_a_yes_while_automation_is_paused_is_told_that_it_waits_for_what_and_how_long():
    paused = AutomationView(paused=True, because="user:ana paused it: calm", in_flight=())
    told = paused_meanwhile(VIEW, paused)
    assert "user:ana paused it: calm" in told and "ratchet resume" in told and f"{VIEW.expires_at:%H:%M:%S} UTC" in told
