"""The short form of the kill harness: whatever moment a process dies in, nothing is done twice, lost or left."""

from pathlib import Path
from typing import Any

import pytest

from ratchet.lab.embedded import Cluster
from tests.proof.__main__ import SETTINGS
from tests.proof.kills import Kills, prepare

KILLS = 50


@pytest.mark.postgres
def test_no_kill_doubles_an_effect_loses_an_acknowledgement_or_leaves_a_step(
    pg_binaries: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Cluster.create(tmp_path_factory.mktemp("killed") / "root", pg_binaries, settings=SETTINGS) as server:
        prepare(server)
        tally = Kills(tmp_path / "lane" / "home", server, seed=3).run(KILLS)
    assert tally.kills >= KILLS
    assert tally.effects > 0 and tally.acknowledged > 0, tally
    assert tally.wrong() == 0, tally
