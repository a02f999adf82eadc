"""A write tool for the proof alone: one row in a ledger at the target per effect, so that effects can be counted."""

from typing import Any, ClassVar

from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.tool import NOT_LATE, Reader, WriteTool, declare

LEDGER = """CREATE TABLE ledger (mark text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(),
  not_after timestamptz NOT NULL)"""


class Marked(Noun):
    """Which packet it is: the same for every attempt under one approval."""

    mark: str


class CountOnce(WriteTool[Marked]):
    """Class B: nothing at the target would stop a second row; only the protocol does."""

    arguments = Marked
    spec: ClassVar[ToolSpec] = declare(
        "postgres.count_once", "Write one row", Marked, effect="disruptive", klass="B", scope="exact"
    )

    def preview(self, read: Reader, args: Marked) -> Preview:
        read("SELECT 1 AS one", {})
        insert = f"""INSERT INTO public.ledger (mark, not_after) SELECT %(mark)s, %(not_after)s::timestamptz
          WHERE {NOT_LATE} RETURNING mark"""
        return Preview(
            rows=({"table": "ledger"},), statements=(Statement(sql=insert, params={"mark": args.mark}),),
            summary="one row", undo=Undo.none("it is counted"),
        )  # fmt: skip

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        mark: Any = act.statements[0].params["mark"]
        rows = read("SELECT count(*) AS n FROM public.ledger WHERE mark = %(mark)s", {"mark": mark})
        return Took(verdict="yes" if rows[0]["n"] else "no", because=f"{rows[0]['n']} rows")
