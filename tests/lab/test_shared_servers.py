"""The servers that every test shares."""

from ratchet.lab.embedded import Cluster


def test_the_shared_primary_answers_and_asks_for_a_password(pg: Cluster) -> None:
    with pg.connect() as session:
        assert session.execute("SHOW max_connections").fetchone() == ("40",)
        rules = session.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert rules == [("scram-sha-256",)]


def test_the_shared_replica_streams_from_its_primary(pg_pair: tuple[Cluster, Cluster]) -> None:
    primary, replica = pg_pair
    with primary.connect() as session, replica.connect() as reader:
        assert session.execute("SELECT state FROM pg_stat_replication").fetchall() == [("streaming",)]
        assert reader.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
