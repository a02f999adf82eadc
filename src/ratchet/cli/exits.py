"""Exit codes, the same in every release, and the one place where a refusal becomes one."""

OK = 0
FAILED = 1
USAGE = 2
DECLINED = 3
NOT_ALLOWED = 4
BAD_ANSWER = 5
ESCALATED = 6
PENDING = 8
LEFT_OVER = 70
TIMEOUT = 124
INTERRUPTED = 130
TERMINATED = 143

BY_CODE: dict[str, int] = {
    "invalid": USAGE,
    "unauthenticated": NOT_ALLOWED,
    "forbidden": NOT_ALLOWED,
    "not_found": FAILED,
    "conflict": FAILED,
    "gone": FAILED,
    "unavailable": FAILED,
    "failed": FAILED,
}
"""By the code of a Refusal (`ratchet.domain.errors.Code`); a test keeps it complete."""
BY_STATUS: dict[str, int] = {"resolved": OK, "closed": OK, "escalated": ESCALATED, "held": ESCALATED}
"""By where an incident came to rest; every other status is still pending."""
