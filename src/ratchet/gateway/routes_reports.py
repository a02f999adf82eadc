"""What the kept runs say of the library: coverage, status, drift."""

from typing import Annotated

from fastapi import APIRouter, Query

from ratchet.desk.vault_room import LONGEST_DAYS
from ratchet.gateway.access import Read
from ratchet.gateway.problem import REFUSED
from ratchet.vault.coverage import Coverage
from ratchet.vault.report import VaultDrift, VaultStatus

router = APIRouter(prefix="/api/v1/fleet/vault", tags=["vault"], responses=REFUSED)
Target = Annotated[str, Query(max_length=63)]
Days = Annotated[int, Query(ge=1, le=LONGEST_DAYS)]


@router.get("")
def coverage(desk: Read, target: Target = "") -> Coverage:
    """List every fault of the catalogue with its playbook, its last run and its status."""
    return desk.vault.coverage(target)


@router.get("/status")
def status(desk: Read, since_days: Days = 30, target: Target = "") -> VaultStatus:
    """List the batches of the last days with their pass rates, oldest first."""
    return desk.vault.status(since_days, target)


@router.get("/drift")
def drift(desk: Read, since_days: Days = 90, target: Target = "") -> VaultDrift:
    """Show how the pass rate of each fault moved between the halves of its samples, and what else moved."""
    return desk.vault.drift(since_days, target)
