"""The HTTP interface, from the application's own description and the rights that its routes declare."""

from collections.abc import Mapping
from typing import Any, cast

from ratchet.domain.errors import Code
from ratchet.gateway.access import Needs, Open, declarations
from ratchet.gateway.app import create_app
from ratchet.gateway.house import House
from ratchet.gateway.problem import STATUS
from ratchet.security.principal import RANK, Principal, may
from scripts.pages.marks import head, table, text


class NoHouse:
    """As much of a house as describing the routes takes."""

    def figures(self) -> Mapping[str, float]:
        return {}


def page() -> str:
    app = create_app(cast(House, NoHouse()))
    described: dict[str, Any] = app.openapi()
    said = {
        f"{method.upper()} {path}": verb for path, verbs in described["paths"].items() for method, verb in verbs.items()
    }
    lines = head(
        "HTTP interface",
        "Written by `make docs` from the application. A running server describes itself at `/api/v1/openapi.json` (for "
        "programs) and `/api/v1/docs` (for people). Send `Authorization: Bearer rtk_...`; lists are "
        '`{"items": [...], "next_cursor": ...}`, except `/api/v1/fleet/playbooks`, which keeps '
        '`{"playbooks": [...]}`.',
    )
    rows = [
        (f"`{route}`", needed, sentence(said, route), "; ".join(asked(said, route))) for route, needed in rights(app)
    ]
    lines += table(("route", "who", "what it does", "query and body"), rows)
    lines += [
        "**Who.** `viewer`, `operator`, `approver`, `admin` each may do what the ones before may; `source` hands in "
        "alerts and nothing else. *a person* means that no service may, whatever its role.",
        "",
        "## Refusals",
        "",
        "Every refusal is `application/problem+json` with `code`, `detail`, `remedy` and, for files, `mistakes`.",
        "",
    ]
    return text([*lines, *table(("code", "status"), [(f"`{code.value}`", str(STATUS[code])) for code in Code])])


def rights(app: Any) -> list[tuple[str, str]]:
    return sorted(
        ((route, who(declared)) for route, declared in declarations(app).items() if "HEAD " not in route),
        key=lambda each: (each[0].split()[1], each[0]),
    )


def who(declared: Needs | Open | None) -> str:
    if isinstance(declared, Open):
        return "anybody on a loopback listener, else `viewer`" if declared.only_on_loopback else "anybody"
    if declared is None or declared.permission is None:
        return "anybody with a token"
    permission = declared.permission
    person = {role: Principal(kind="person", name="x", role=role, channel="http") for role in RANK}
    least = next(role for role in sorted(RANK, key=lambda role: RANK[role]) if may(person[role], permission))
    service = may(Principal(kind="service", name="x", role="admin", channel="http"), permission)
    source = may(Principal(kind="service", name="x", role="source", channel="http"), permission)
    return f"`{least}`" + (" or `source`" if source else "") + ("" if service and not declared.person else ", a person")


def sentence(said: Mapping[str, Any], route: str) -> str:
    return str(said.get(route, {}).get("description", ""))


def asked(said: Mapping[str, Any], route: str) -> list[str]:
    verb = said.get(route, {})
    query = [f"`?{each['name']}`" for each in verb.get("parameters", ()) if each["in"] == "query"]
    content = verb.get("requestBody", {}).get("content", {})
    bodies = [shape_of(each.get("schema", {})) for each in content.values()]
    return [*query, *(f"`{each}`" for each in bodies if each)]


def shape_of(schema: dict[str, Any]) -> str:
    options = [shape_of(each) for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return options[0] if options else str(schema.get("$ref", "")).rpartition("/")[2]
