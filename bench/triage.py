"""From an alert by HTTP to ranked hypotheses on a live PostgreSQL, with every shipped playbook a candidate."""

from bench.figure import Figure, spread
from bench.scene import Scene, caused, scene, seconds_to

WARM_UP = 3
SAMPLES = 20
GOAL = 0.5


def run() -> list[Figure]:
    with scene() as here:
        healthy = [once(here, "escalated") for _ in range(WARM_UP + SAMPLES)][WARM_UP:]
        with caused(here):
            faulty = [once(here, "awaiting_approval") for _ in range(WARM_UP + SAMPLES)][WARM_UP:]
    return [
        spread("alert to ranking, idle leak on a full server", faulty, GOAL),
        spread("alert to the first ranking, healthy server", healthy, GOAL),
    ]


def once(here: Scene, ends: str) -> float:
    """One incident; it must end as it should, or the figure would be of something else."""
    name, began = here.alert()
    seen = here.until(name, "awaiting_approval", "escalated")
    if seen["status"] != ends:
        raise RuntimeError(f"{name} is {seen['status']} and should be {ends}: {seen['why']}")
    if seen["decision"]:
        here.answer(seen, "deny")
        here.until(name, "escalated")
    # Where nothing is confirmed it looks again after a while that policy asks for; that wait is nobody's work.
    return seconds_to("triage_completed", seen, began, 0)
