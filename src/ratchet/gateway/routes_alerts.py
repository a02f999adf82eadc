"""Alerts come in here: durable before they are answered for."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from ratchet.gateway.access import Ingest
from ratchet.gateway.bodies import AlertBatch, Received
from ratchet.gateway.figures import Meter
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.sources import alertmanager

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=REFUSED)
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


async def raw_body(request: Request) -> bytes:
    """The body as sent; the guard has bounded it."""
    return await request.body()


def meter_of(request: Request) -> Meter:
    """The application's counters."""
    meter: Meter = request.app.state.meter
    return meter


Body = Annotated[bytes, Depends(raw_body)]
Counting = Annotated[Meter, Depends(meter_of)]


@router.post("/sources/alertmanager", status_code=202, openapi_extra=_BODY)
def from_alertmanager(desk: Ingest, body: Body, meter: Counting) -> Received:
    """Take an Alertmanager webhook (version 4)."""
    alerts = alertmanager.parse(body)
    incidents = desk.receive(alerts)
    meter.received(alerts, alertmanager.SOURCE)
    return Received(incidents=tuple(incidents))


@router.post("/alerts", status_code=202)
def from_program(desk: Ingest, batch: AlertBatch, meter: Counting) -> Received:
    """Take alerts in Ratchet's own words."""
    alerts = [alertmanager.clip(alert) for alert in batch.alerts]
    incidents = desk.receive(alerts)
    meter.received(alerts, "api")
    return Received(incidents=tuple(incidents))
