"""What is registered in this release, for judging the playbooks that come with it."""

from importlib.resources import files

import pytest

from ratchet.tools.host.start_server import StartServer
from ratchet.tools.host.status import STATUS, STATUS_COLUMNS
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.postgres.writes import POSTGRES_TOOLS
from ratchet.vault.causes import shipped_causes
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.known import KnownTools


@pytest.fixture(scope="session")
def known() -> KnownTools:
    """The real probes and write tools, so that a playbook that ships can be bound as it stands."""
    shelf = ProbeShelf.load([files("ratchet.library").joinpath("probes/postgres")])
    probes = {name: shelf.columns(name) for name in shelf.names()} | {STATUS: frozenset(STATUS_COLUMNS)}
    specs = [tool.spec for tool in POSTGRES_TOOLS] + [StartServer.spec]
    return KnownTools(probes, {spec.name: spec for spec in specs})


@pytest.fixture(scope="session")
def playbook_files(known: KnownTools) -> PlaybookFiles:
    return PlaybookFiles(known, shipped_causes().names)
