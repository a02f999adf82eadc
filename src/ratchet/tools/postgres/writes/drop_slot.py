"""Drops one inactive replication slot, so that the server may remove the WAL that it holds back."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.tool import NOT_LATE, Reader, WriteTool, declare, utc_text

SHOW = f"""SELECT s.slot_name::text, s.restart_lsn::text, s.slot_type, s.database::text AS db, s.active, s.wal_status,
  CASE WHEN pg_is_in_recovery() THEN NULL
       ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint END AS retained_bytes,
  to_jsonb(s) ->> 'inactive_since' AS unused_since,
  {utc_text("clock_timestamp()")} AS clock
FROM pg_replication_slots s WHERE s.slot_name = %(slot)s AND NOT s.active AND NOT s.temporary"""
DROP = f"""SELECT s.slot_name::text, s.restart_lsn::text, pg_drop_replication_slot(s.slot_name)::text AS answer
FROM pg_replication_slots s
WHERE s.slot_name = %(slot)s AND s.restart_lsn IS NOT DISTINCT FROM %(restart_lsn)s::pg_lsn AND NOT s.active
  AND {NOT_LATE}"""
THERE = "SELECT restart_lsn::text FROM pg_replication_slots WHERE slot_name = %(slot)s"


class SlotName(Noun):
    """A replication slot."""

    slot_name: str = Field(pattern=r"^[a-z0-9_]{1,63}$")


def _said(name: str, row: Mapping[str, Any]) -> str:
    """What the slot keeps and since when nobody uses it, which servers before version 17 do not write down."""
    since = row["unused_since"]
    idle = f"unused since {since}" if since else "since when nobody uses it, this server cannot tell"
    return f"slot {name} holds back {row['retained_bytes']} bytes of WAL; {idle}"


class DropSlot(WriteTool[SlotName]):
    """For good: the consumer of the slot must be built anew."""

    arguments = SlotName
    spec: ClassVar[ToolSpec] = declare(
        "postgres.drop_slot",
        "Drop one inactive replication slot; its consumer must be built anew",
        SlotName,
        effect="destructive",
        klass="C",
        scope="exact",
        capabilities=("release_wal",),
    )

    def preview(self, read: Reader, args: SlotName) -> Preview:
        rows = read(SHOW, {"slot": args.slot_name})
        shown = [{name: value for name, value in row.items() if name != "clock"} for row in rows]
        params = {"slot": args.slot_name, "restart_lsn": rows[0]["restart_lsn"] if rows else None}
        said = _said(args.slot_name, rows[0]) if rows else ""
        return Preview(
            rows=tuple(shown),
            statements=(Statement(sql=DROP, params=params),) if rows else (),
            summary=said or f"there is no inactive slot {args.slot_name}",
            undo=Undo.none("the WAL that the slot kept may be gone at once; its consumer must be built anew"),
            clock=rows[0]["clock"] if rows else "",
        )

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        name = act.identities[0]["slot_name"]
        if read(THERE, {"slot": name}):
            return Took(verdict="no", because=f"slot {name} is still there")
        return Took(verdict="yes", because=f"slot {name} is gone")
