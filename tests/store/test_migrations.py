"""The migrations lead to exactly the tables that the statements speak of, and a newer database is left alone."""

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ratchet.domain import timeline as e
from ratchet.domain.errors import Code, Refusal
from ratchet.store import migrate, upgrade
from ratchet.store.tables import metadata
from tests.store.walks import START, opened


def test_the_migrated_tables_are_the_declared_ones(store):
    with store._journal.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_revision_is_the_end_of_the_scripts():
    assert upgrade.scripts().get_heads() == [migrate.NEWEST]


def test_a_database_of_a_newer_release_is_refused_and_not_touched(store, home, reopen):
    store.close()
    with sqlite3.connect(home / "ratchet.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(Refusal) as refused:
        reopen()
    assert refused.value.code is Code.FAILED
    assert "newer" in refused.value.remedy


@pytest.mark.parametrize("form", ["new", "of an older release"])
def test_of_several_that_open_a_database_at_once_one_brings_it_up_and_none_dies(home, reopen, form):
    if form != "new":
        reopen().close()
        with sqlite3.connect(home / "ratchet.db") as connection:
            connection.execute("ALTER TABLE alerts DROP COLUMN heard_at")
            connection.execute("ALTER TABLE alerts DROP COLUMN ended_at")
            connection.execute("UPDATE alembic_version SET version_num = '0005'")
        connection.close()
    together = Barrier(4)

    def start(_):
        together.wait()
        return reopen().audit.verify(full=True).ok

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(start, range(4))) == [True] * 4


def test_a_database_that_is_up_to_date_is_opened_without_alembic(store, home):
    store.close()
    line = "import sys; from ratchet.config import read_settings; from ratchet.wiring import open_house;"
    line += "open_house(read_settings({}), print).close(); print('alembic' in sys.modules)"
    environ = {**os.environ, "RATCHET_HOME": str(home)}
    said = subprocess.run([sys.executable, "-c", line], env=environ, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "False"


def test_opening_again_changes_nothing(store, reopen):
    seen = store.open("i1", opened, "ratchet")
    again = reopen()
    assert again.commit(seen, e.Noted(by="u", text="x"), by="user:ana", wake_at=None) == store.incident("i1")


def test_a_checkpoint_of_another_form_is_folded_anew(store, home):
    seen = store.open("i1", opened, "ratchet")
    with sqlite3.connect(home / "ratchet.db") as connection:
        connection.execute("UPDATE incidents SET body = replace(body, '\"epoch\"', '\"era\"')")
    connection.close()
    assert store.incident("i1") == seen
    assert store.commit(seen, e.Noted(by="u", text="x"), by="user:ana", wake_at=START).seq == 2
    assert store.verify().ok
