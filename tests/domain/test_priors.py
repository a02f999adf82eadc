"""What people confirmed moves priors, as far as it should, and never chooses between two causes."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain.differential import judge
from ratchet.domain.priors import LEAST, MOST, STRENGTH, Confirmed, Priors, priors_of
from tests.domain.test_differential import FULL, OPPOSITE, candidate, moment, playbook

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KINDS = {"shop-db": "postgres", "crm-db": "postgres", "cache": "redis"}
BUSY = [{"used": 19, "max": 20}]


def word(cause: str, number: int, service: str = "shop", target: str = "shop-db", **more: object) -> Confirmed:
    fields = {"at": NOON + timedelta(minutes=number), "by": "user:ana", **more}
    return Confirmed.model_validate(
        {"incident": f"i{number}", "target": target, "service": service, "cause": cause, **fields}
    )


def priors(words: list[Confirmed], service: str = "shop", until: datetime | None = None) -> Priors:
    return priors_of(words, KINDS, ("postgres", service), until)


def test_nine_of_fourteen_move_a_declared_fifth_to_a_third_and_the_page_says_so():
    words = [word("leak", n) for n in range(9)] + [word("lock", n) for n in range(9, 14)]
    assert priors(words).of("leak", 0.20).said == "prior 0.31 (declared 0.20, 9 confirmed of 14 here)"


def test_without_a_word_the_declared_likelihood_stands():
    nothing = Priors()
    assert nothing.silent
    assert nothing.of("leak", 0.2).value == 0.2


def test_other_services_count_through_the_declared_likelihood_and_less_than_ones_own():
    here = priors([word("leak", n) for n in range(20)]).of("leak", 0.2)
    elsewhere = priors([word("leak", n, service="crm", target="crm-db") for n in range(20)]).of("leak", 0.2)
    assert here.value == elsewhere.value, "with nothing here, what was elsewhere is what is known before"
    both = [word("lock", n) for n in range(20)] + [
        word("leak", n, service="crm", target="crm-db") for n in range(20, 40)
    ]
    assert 0.2 < priors(both).of("leak", 0.2).value < here.value
    assert priors(both).of("leak", 0.2).said.endswith("0 confirmed of 20 here, 20 of 20 elsewhere)")


def test_another_kind_of_target_and_a_drill_teach_nothing():
    words = [word("leak", 1, target="cache"), word("leak", 2, origin="drill"), word("leak", 3, target="gone")]
    assert priors(words).silent


def test_a_later_word_on_the_same_incident_replaces_the_earlier():
    words = [word("leak", 1), word("lock", 1, at=NOON + timedelta(hours=1))]
    assert priors(words).here == {"lock": 1}
    assert priors(words, until=NOON + timedelta(minutes=30)).here == {"leak": 1}, "judged again as it was known then"


@given(st.floats(0.001, 1), st.integers(0, 500), st.integers(0, 500))
def test_a_prior_is_a_probability_between_a_quarter_and_four_times_what_was_declared(declared, k, rest):
    found = Priors(here={"leak": k, "other": rest}).of("leak", declared)
    assert 0 < found.value <= 1
    assert LEAST * declared - 1e-4 <= found.value <= MOST * declared + 1e-4
    more = Priors(here={"leak": k + 1, "other": rest}).of("leak", declared)
    assert more.value >= found.value


def test_the_strength_is_that_of_so_many_incidents():
    found = Priors(here={"leak": int(STRENGTH), "lock": 0}).of("leak", 0.5)
    assert found.value == 0.75


def test_history_never_chooses_between_two_causes_that_the_evidence_confirms():
    here = [candidate(playbook(FULL, FULL))]
    seen = moment(BUSY)
    assert judge(here, seen).outcome == "ambiguous"
    said = judge(here, seen.model_copy(update={"priors": Priors(here={"cause_1": 5000})}))
    assert (said.outcome, said.cause) == ("ambiguous", None)
    assert said.hypotheses[0].cause == "cause_1", "but it comes first"
    assert "the evidence alone does not choose" in said.why


def test_history_that_speaks_against_the_leader_of_the_evidence_asks_a_person():
    rules = ({**FULL, "likelihood": 0.9}, {**FULL, "likelihood": 0.05})
    here, seen = [candidate(playbook(*rules))], moment(BUSY)
    assert judge(here, seen).cause == "cause_0"
    said = judge(here, seen.model_copy(update={"priors": Priors(here={"cause_1": 5000})}))
    assert said.outcome == "ambiguous"


def test_history_makes_a_clear_cause_no_less_clear_and_shows_its_counts():
    here, seen = [candidate(playbook(FULL, OPPOSITE))], moment(BUSY)
    said = judge(here, seen.model_copy(update={"priors": Priors(here={"cause_0": 3, "x": 4})}))
    assert (said.outcome, said.cause) == ("cause", "cause_0")
    assert said.leading is not None and said.leading.learned is not None
    assert (said.leading.learned.confirmed, said.leading.learned.of) == (3, 7)
    assert said.hypotheses[1].learned is None, "what was refuted and never confirmed carries no counts about"
