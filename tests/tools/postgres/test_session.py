"""A warm session is asked thousands of times: what fails on it once must not make it blind."""

import pytest

from ratchet.lab.embedded import Cluster
from ratchet.tools.answers import NoAnswer
from ratchet.tools.postgres.line import PREPARE_AFTER, open_line
from ratchet.tools.postgres.session import read_only

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("before", range(PREPARE_AFTER + 2))
def test_a_statement_that_fails_leaves_the_session_as_good_as_it_was(before: int, pg: Cluster) -> None:
    line = open_line(pg.dsn(), "test")
    try:
        for _ in range(before):
            assert read_only(line, "SELECT 1 AS one", {}, 5) == [{"one": 1}]
        with pytest.raises(NoAnswer, match="division by zero"):
            read_only(line, "SELECT 1 / 0", {}, 5)
        for _ in range(PREPARE_AFTER + 2):
            assert read_only(line, "SELECT 2 AS two", {}, 5) == [{"two": 2}]
    finally:
        line.close()
