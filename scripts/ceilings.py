"""Measures the house's ceilings over the source and fails, naming file and line, when one is broken."""

import ast
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

LONG_FUNCTION = 50
LONGEST_FUNCTION = 60
LONG_FUNCTION_SHARE = 2.0
LONGEST_MODULE = 300
MOST_ARGUMENTS = 5
DEEPEST_NESTING = 3

BROAD_EXCEPT_PLACES = {"execution/perform.py": 1, "execution/worker.py": 1}
HIDDEN_IMPORT_PLACES = ("cli/", "reason/model.py")
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


@dataclass(frozen=True)
class Module:
    """One source file: `name` is its path below the package, with forward slashes."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


@dataclass(frozen=True)
class Violation:
    path: Path
    line: int
    words: str

    def __str__(self) -> str:
        return f"{os.path.relpath(self.path)}:{self.line}: {self.words}"


@dataclass(frozen=True)
class Reading:
    """One ceiling as measured; it is broken exactly when it has violations."""

    ceiling: str
    allowed: str
    now: str
    violations: tuple[Violation, ...] = ()


def read(package: Path) -> list[Module]:
    """Every module below `package`, in path order."""
    modules: list[Module] = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        try:
            tree = ast.parse(text, str(path))
        except SyntaxError as wrong:
            sys.exit(f"{path}:{wrong.lineno}: {wrong.msg}")
        modules.append(Module(path, path.relative_to(package).as_posix(), text, tree))
    return modules


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def arguments(function: Function) -> int:
    """All that a caller may name, without self and cls; *args and **kwargs are one each."""
    spec = function.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    stars = [star for star in (spec.vararg, spec.kwarg) if star is not None]
    return len([a for a in named if a.arg not in {"self", "cls"}]) + len(stars)


def declares_a_command(function: Function) -> bool:
    """A command's parameters are the declaration of its options, as fields are of a class."""
    calls = (d.func if isinstance(d, ast.Call) else d for d in function.decorator_list)
    return any(isinstance(c, ast.Attribute) and c.attr in {"command", "callback"} for c in calls)


def deepest(node: ast.AST, depth: int = 0) -> int:
    """Levels of blocks below `node`; an elif is no deeper than its if; an inner function is measured by itself."""
    found = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        found = max(found, deepest(child, depth + (isinstance(child, BLOCKS) and not chained)))
    return found


def is_broad(node: ast.expr | None) -> bool:
    match node:
        case None:
            return True
        case ast.Name(id=name):
            return name in {"Exception", "BaseException"}
        case ast.Tuple(elts=elements):
            return any(is_broad(element) for element in elements)
        case _:
            return False


def broad_lines(module: Module) -> Iterator[int]:
    for node in ast.walk(module.tree):
        match node:
            case ast.ExceptHandler(type=caught) if is_broad(caught):
                yield node.lineno
            case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=args):
                yield from (node.lineno for arg in args if is_broad(arg))
            case _:
                pass


def hidden_lines(module: Module) -> Iterator[int]:
    for function in module.functions():
        for node in ast.walk(function):
            match node:
                case ast.Import() | ast.ImportFrom():
                    yield node.lineno
                case ast.Call(func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module")):
                    yield node.lineno
                case _:
                    pass


def long_functions(modules: list[Module]) -> list[Reading]:
    sizes = [
        (length(f), Violation(m.path, f.lineno, f"{f.name}: {length(f)} lines")) for m in modules for f in m.functions()
    ]
    long = [violation for size, violation in sizes if size > LONG_FUNCTION]
    share = 100 * len(long) / max(len(sizes), 1)
    too_long = tuple(violation for size, violation in sizes if size > LONGEST_FUNCTION)
    return [
        Reading(
            f"functions over {LONG_FUNCTION} lines",
            f"{LONG_FUNCTION_SHARE:g} %",
            f"{share:.1f} % ({len(long)} of {len(sizes)})",
            tuple(long) if share > LONG_FUNCTION_SHARE else (),
        ),
        Reading("longest function", str(LONGEST_FUNCTION), str(max((s for s, _ in sizes), default=0)), too_long),
    ]


def long_modules(modules: list[Module]) -> Reading:
    sizes = [(len(m.text.splitlines()), m) for m in modules]
    broken = tuple(Violation(m.path, LONGEST_MODULE + 1, f"{n} lines") for n, m in sizes if n > LONGEST_MODULE)
    return Reading("longest module", str(LONGEST_MODULE), str(max((n for n, _ in sizes), default=0)), broken)


def many_arguments(modules: list[Module]) -> Reading:
    counts = [(arguments(f), m, f) for m in modules for f in m.functions() if not declares_a_command(f)]
    broken = tuple(Violation(m.path, f.lineno, f"{f.name}: {n} arguments") for n, m, f in counts if n > MOST_ARGUMENTS)
    return Reading("most arguments", str(MOST_ARGUMENTS), str(max((n for n, *_ in counts), default=0)), broken)


def deep_nesting(modules: list[Module]) -> Reading:
    depths = [(deepest(f), m, f) for m in modules for f in m.functions()]
    broken = tuple(Violation(m.path, f.lineno, f"{f.name}: {n} levels") for n, m, f in depths if n > DEEPEST_NESTING)
    return Reading("deepest nesting", str(DEEPEST_NESTING), str(max((n for n, *_ in depths), default=0)), broken)


def broad_excepts(modules: list[Module]) -> Reading:
    found = [(m, line) for m in modules for line in broad_lines(m)]
    room = dict(BROAD_EXCEPT_PLACES)
    broken: list[Violation] = []
    for module, line in found:
        room[module.name] = room.get(module.name, 0) - 1
        if room[module.name] < 0:
            broken.append(
                Violation(module.path, line, "a broad except; only around a tool call and in the worker's loop")
            )
    return Reading("broad excepts", str(sum(BROAD_EXCEPT_PLACES.values())), str(len(found)), tuple(broken))


def hidden_imports(modules: list[Module]) -> Reading:
    strict = [m for m in modules if not m.name.startswith(HIDDEN_IMPORT_PLACES)]
    broken = tuple(
        Violation(m.path, line, "an import hidden in a function")
        for m in strict
        for line in sorted(set(hidden_lines(m)))
    )
    return Reading("hidden imports", "0", str(len(broken)), broken)


def unfinished_marks(modules: list[Module]) -> Reading:
    lines = ((m, number, line) for m in modules for number, line in enumerate(m.text.splitlines(), 1))
    broken = tuple(Violation(m.path, number, line.strip()) for m, number, line in lines if UNFINISHED.search(line))
    return Reading("unfinished marks", "0", str(len(broken)), broken)


def unsaid_modules(modules: list[Module]) -> Reading:
    silent = [m for m in modules if m.text.strip() and not ast.get_docstring(m.tree)]
    broken = tuple(Violation(m.path, 1, "does not open with the sentence that says what it is for") for m in silent)
    return Reading("modules without a sentence", "0", str(len(broken)), broken)


SINGLE: tuple[Callable[[list[Module]], Reading], ...] = (
    long_modules,
    many_arguments,
    deep_nesting,
    broad_excepts,
    hidden_imports,
    unfinished_marks,
    unsaid_modules,
)


def measure(package: Path) -> list[Reading]:
    modules = read(package)
    return [*long_functions(modules), *(one(modules) for one in SINGLE)]


def main(arguments: list[str]) -> int:
    package = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[1] / "src" / "ratchet"
    readings = measure(package)
    for reading in readings:
        mark = "BROKEN" if reading.violations else "ok"
        print(f"{reading.ceiling:<27} {reading.now:>20}   ceiling {reading.allowed:<5} {mark}")
    violations = [violation for reading in readings for violation in reading.violations]
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
