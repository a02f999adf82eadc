"""The percentage counts what applies, and nothing is sound that must be true and is not."""

from ratchet.domain.score import Part, Score


def part(name, passed, weight=10.0, must=True):
    return Part(name=name, passed=passed, weight=weight, must=must, because="seen")


def test_parts_that_do_not_apply_count_neither_for_nor_against():
    score = Score(parts=(part("cause", True, 30), part("draft", False, 10, must=False), part("judge", None, 60)))
    assert score.percentage == 75.0
    assert score.sound


def test_a_part_that_must_be_true_and_is_not_breaks_the_whole():
    score = Score(parts=(part("cause", True), part("innocents", False)))
    assert not score.sound and [each.name for each in score.broken] == ["innocents"]


def test_a_score_of_which_nothing_applies_is_worth_nothing():
    assert Score().percentage == 0.0 and not Score().sound
    assert not Score(parts=(part("cause", None),)).sound
