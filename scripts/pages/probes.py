"""The read probes, from the headers of their SQL files."""

from importlib.resources import files

from ratchet.tools.postgres.privileges import PRIVILEGES
from ratchet.tools.postgres.probe_spec import ProbeSpec
from ratchet.tools.postgres.probes import ProbeShelf
from scripts.pages.marks import head, table, text


def page() -> str:
    shelf = ProbeShelf.load([files("ratchet.library").joinpath("probes/postgres")])
    forms = [form for name in shelf.names() for form in shelf.variants(name)]
    lines = head(
        "Probes",
        "Written by `make docs` from the headers of `library/probes/postgres/*.sql`. A probe is one read-only "
        "statement; a playbook names it with `uses:` and asks of its columns in [conditions](conditions.md). "
        "SQL that several probes share stands once in `shared/`, and `-- include: name` takes it in when the files are "
        "read; what is judged, sent and kept is the whole text. "
        "Timestamps are ISO 8601 texts in UTC. A probe for which the diag login lacks the right answers `permission`, "
        "and every condition over it is unknown.",
    )
    lines += table(
        ("probe", "what it shows", "needs", "PostgreSQL"),
        [(anchor(form), form.summary, ", ".join(form.privileges), str(form.versions)) for form in forms],
    )
    lines += ["## Rights of the diag login", ""]
    lines += table(
        ("right", "what it gives", "granted by"),
        [(f"`{p.name}`", p.meaning, "; ".join(f"`{grant}`" for grant in p.grants)) for p in PRIVILEGES.values()],
    )
    for name in shelf.names():
        lines += [f"## {name}", ""]
        for form in shelf.variants(name):
            lines += details(form)
    return text(lines)


def anchor(form: ProbeSpec) -> str:
    return f"[{form.name}](#{form.name.replace('.', '')})"


def details(form: ProbeSpec) -> list[str]:
    where = "" if form.where == "any" else f" Only on a {form.where}."
    extension = f" Needs the extension `{form.extension}`." if form.extension else ""
    lines = [f"{form.summary}. PostgreSQL {form.versions}.{where}{extension}", ""]
    lines += table(
        ("argument", "type", "default"),
        [(f"`{a.name}`", a.type, "must be given" if a.required else f"`{a.default}`") for a in form.args],
    )
    return lines + table(("column", "type", "meaning"), [(f"`{c.name}`", c.type, c.meaning) for c in form.columns])
