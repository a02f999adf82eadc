"""Targets under care; credentials come and go as references only."""

from fastapi import APIRouter

from ratchet.desk.views import TargetReport, TargetRequest, TargetView
from ratchet.domain.ports import Page
from ratchet.gateway.access import Admin, Read
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.routes_incidents import Reference

router = APIRouter(prefix="/api/v1/targets", tags=["targets"], responses=REFUSED)


@router.get("")
def targets(desk: Read) -> Page[TargetView]:
    """List all registered targets."""
    return Page[TargetView](items=tuple(desk.targets()))


@router.post("", status_code=201)
def add(desk: Admin, request: TargetRequest) -> TargetReport:
    """Register a target and report what it lacks."""
    return desk.add_target(request)


@router.get("/{reference}/check")
def check(desk: Read, reference: Reference) -> TargetReport:
    """Look at what a target lacks now."""
    return desk.check_target(reference)
