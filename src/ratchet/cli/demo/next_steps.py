"""What to type after the demo, eight lines at most: with a server that stays they work as they stand."""

from collections.abc import Iterator
from pathlib import Path

from ratchet.cli.demo.outcome import Outcome
from ratchet.cli.demo.stage import Stage
from ratchet.desk.views import IncidentView

_AUTH = '-H "Authorization: Bearer $HELPDESK_CLIENT_API_KEY"'


PROGRAM = "ratchet"


def way_to_program(found: str | None, beside: Path) -> Iterator[str]:
    """The line that makes the lines below it work, when the shell would not find the program that runs now.

    `found` is what the shell finds, `beside` the program's own path.
    """
    if found is None and beside.name == PROGRAM:
        yield f'export PATH="{beside.parent}:$PATH"'


def to_type(view: IncidentView) -> Iterator[str]:
    """Without a server: what the reader's own house can do."""
    yield "ratchet demo --keep                  # the same, and server and lab stay until Ctrl-C"
    for fault in ("db-lock-contention", "db-idle-in-transaction", "db-replication-lag", "db-max-connections"):
        if fault != view.fault:
            yield f"ratchet demo --fault {fault}"
    yield "ratchet target add NAME --provision --admin-dsn-env VARIABLE --owner user:default/you"
    yield "ratchet serve                        # then let an Alertmanager send to /api/v1/sources/alertmanager"


def with_server(stage: Stage, view: IncidentView, outcome: Outcome) -> Iterator[str]:
    """With a server that stays: the whole turn, with the real ids filled in."""
    fleet = f"{stage.url}/api/v1/fleet/playbooks"
    key = f"HELPDESK_CLIENT_API_KEY={stage.approver_token}"
    yield f"export RATCHET_URL={stage.url} RATCHET_HOME={stage.home} {key}"
    yield f"ratchet incident show {view.id}"
    if outcome.draft is not None:
        draft = outcome.draft.id
        yield (
            f'curl -s "{fleet}?source=generated" {_AUTH} '
            "| jq '.playbooks[] | select(.is_active == false) | {id, name, created_at}'"
        )
        yield f"ratchet playbook render {draft}"
        yield f"curl -s -X POST {fleet}/{draft}/activate {_AUTH}    # or: ratchet playbook discard {draft}"
    if not outcome.recovered:
        yield f'ratchet incident take {view.id} --reason "I look myself"    # give it back: ratchet incident handback'
    yield f"faulttest run --remediate --id {stage.fault}    # the same again, by what is active then, and graded"
    yield "ratchet vault list; ratchet vault status; ratchet vault drift"
