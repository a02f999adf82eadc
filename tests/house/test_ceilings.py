"""Each of the ceilings notices when it is broken; `make check` holds the source against them."""

from pathlib import Path

import pytest

from scripts import ceilings

DEEP = """
def f(xs):
    for x in xs:
        if x:
            with x:
                while x:
                    pass
"""
ELIFS = """
def f(x):
    if x == 1:
        pass
    elif x == 2:
        pass
    elif x == 3:
        pass
    elif x == 4:
        pass
"""
BROAD = "try:\n    pass\nexcept Exception:\n    pass\n"


def broken(tmp_path: Path, text: str, name: str = "room/module.py") -> set[str]:
    """The ceilings that a package of one module with this text breaks."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'"""One sentence."""\n{text}', encoding="utf-8")
    return {reading.ceiling for reading in ceilings.measure(tmp_path) if reading.violations}


@pytest.mark.parametrize(
    ("text", "ceiling"),
    [
        ("def f():\n" + "    x = 1\n" * 60, "longest function"),
        ("x = 1\n" * 301, "longest module"),
        ("def f(a, b, c, *, d, e, g): ...\n", "most arguments"),
        (DEEP, "deepest nesting"),
        (BROAD, "broad excepts"),
        ("try:\n    pass\nexcept (ValueError, BaseException):\n    pass\n", "broad excepts"),
        ("from contextlib import suppress\nwith suppress(Exception):\n    pass\n", "broad excepts"),
        ("def f():\n    import os\n", "hidden imports"),
        ("def f():\n    return importlib.import_module('os')\n", "hidden imports"),
        ("x = 1  # TO" + "DO later\n", "unfinished marks"),
    ],
)
def test_each_ceiling_notices_its_own_violation(tmp_path, text, ceiling):
    assert ceiling in broken(tmp_path, text)


def test_a_module_without_its_sentence_is_noticed(tmp_path):
    (tmp_path / "silent.py").write_text("x = 1\n", encoding="utf-8")
    assert [r.ceiling for r in ceilings.measure(tmp_path) if r.violations] == ["modules without a sentence"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("room/module.py", ELIFS),
        ("room/module.py", "class A:\n    def f(self, a, b, c, d, e): ...\n"),
        ("cli/table.py", "def f():\n    import os\n"),
        ("cli/table.py", "@app.command('add')\ndef f(a, b, c, d, e, g, h): ...\n"),
        ("reason/model.py", "def f():\n    import os\n"),
        ("execution/worker.py", BROAD),
        ("execution/perform.py", BROAD),
    ],
)
def test_what_the_house_allows_passes(tmp_path, name, text):
    assert broken(tmp_path, text, name) == set()


def test_a_place_with_a_broad_except_may_not_have_a_second(tmp_path):
    assert broken(tmp_path, BROAD + BROAD, "execution/worker.py") == {"broad excepts"}


def test_one_long_function_in_sixty_is_bearable_and_two_in_sixty_are_not(tmp_path):
    long = "def long{}():\n" + "    x = 1\n" * 52
    short = "".join(f"def short{n}(): ...\n" for n in range(59))
    assert broken(tmp_path, long.format(1) + short) == set()
    assert broken(tmp_path, long.format(1) + long.format(2) + short) == {"functions over 50 lines"}
