"""How the shop fared, in half seconds: what its customers would remember."""

from collections.abc import Sequence

from ratchet.lab.shop import Request, ShopSample

STEP_S = 0.5


def half_seconds(requests: Sequence[Request], begun: float, ended: float) -> list[str]:
    """`served`, `failed` (somebody was turned away) or `silent` for every half second between two moments."""
    marks: list[str] = []
    for n in range(max(0, int((ended - begun) / STEP_S))):
        start = begun + n * STEP_S
        within = [each for each in requests if start <= each.at < start + STEP_S]
        failed = any(each.error for each in within)
        marks.append("failed" if failed else ("served" if within else "silent"))
    return marks


def in_words(sample: ShopSample) -> str:
    """`9.3 requests served per second, none failed, 95 % within 12 ms`."""
    failed = f"{sample.failed_per_s:.1f} failed" if sample.failed_per_s else "none failed"
    quick = f", 95 % within {sample.p95_ms:.0f} ms" if sample.ok_per_s else ""
    return f"{sample.ok_per_s:.1f} requests served per second, {failed}{quick}"
