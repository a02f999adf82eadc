"""From a person's approval by HTTP to the recorded effect of the act on the server."""

from bench.figure import Figure, spread
from bench.scene import Scene, caused, events, scene, seconds_to

SAMPLES = 10
GOAL = 0.3


def run() -> list[Figure]:
    with scene() as here:
        taken = [once(here, seed) for seed in range(1, SAMPLES + 1)]
    return [spread("approval to known effect, idle leak ended", taken, GOAL)]


def once(here: Scene, seed: int) -> float:
    """One leak, found, approved and ended; its verification is waited for, so that the next one starts alone."""
    with caused(here, seed=seed):
        name, _ = here.alert()
        asked = here.until(name, "awaiting_approval", "escalated")
        if asked["status"] != "awaiting_approval":
            raise RuntimeError(f"{name} was not asked about: {asked['why']}")
        began = here.answer(asked, "approve")
        seen = here.until_true(name, lambda now: "fix_completed" in events(now) or now["status"] == "escalated")
        if "fix_completed" not in events(seen):
            raise RuntimeError(f"{name} was not acted on: {seen['handoff']}")
        here.until(name, "resolved", "escalated")
    return seconds_to("fix_completed", seen, began)
