"""What is registered in this release, for judging the playbooks that come with it."""

from datetime import UTC, datetime
from importlib.resources import files

import pytest

from ratchet.tools.host.looks import HOST_PROBES
from ratchet.tools.host.tools import host_tools
from ratchet.tools.pgbouncer.probes import POOLER_PROBES
from ratchet.tools.postgres.log_signs import LOG_SIGNS
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.postgres.writes import POSTGRES_TOOLS
from ratchet.vault.causes import shipped_causes
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.known import KnownTools


@pytest.fixture(scope="session")
def known() -> KnownTools:
    """The real probes and write tools, so that a playbook that ships can be bound as it stands."""
    shelf = ProbeShelf.load([files("ratchet.library").joinpath("probes/postgres")])
    coded = (LOG_SIGNS, *HOST_PROBES.values(), *POOLER_PROBES.values())
    probes = {name: shelf.columns(name) for name in shelf.names()} | {p.name: frozenset(p.columns) for p in coded}
    specs = [tool.spec for tool in (*POSTGRES_TOOLS, *host_tools(lambda: datetime.now(UTC)))]
    return KnownTools(probes, {spec.name: spec for spec in specs})


@pytest.fixture(scope="session")
def playbook_files(known: KnownTools) -> PlaybookFiles:
    return PlaybookFiles(known, shipped_causes().names)
