"""Alerts come in here: durable before they are answered for."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from ratchet.desk.contract import Desk
from ratchet.domain.alert import Alert
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


async def meter_of(request: Request) -> Meter:
    """The application's counters; nothing is waited for, so that no thread is needed."""
    meter: Meter = request.app.state.meter
    return meter


Body = Annotated[bytes, Depends(raw_body)]
Counting = Annotated[Meter, Depends(meter_of)]


@router.post("/sources/alertmanager", status_code=202, response_model=Received, openapi_extra=_BODY)
def from_alertmanager(desk: Ingest, body: Body, meter: Counting) -> Response:
    """Take an Alertmanager webhook (version 4)."""
    return _received(desk, meter, alertmanager.parse(body), alertmanager.SOURCE)


@router.post("/alerts", status_code=202, response_model=Received)
def from_program(desk: Ingest, batch: AlertBatch, meter: Counting) -> Response:
    """Take alerts in Ratchet's own words."""
    return _received(desk, meter, [alertmanager.clip(alert) for alert in batch.alerts], "api")


def _received(desk: Desk, meter: Meter, alerts: Sequence[Alert], source: str) -> Response:
    """The answer, once they are durable; written in the thread that is here already, not validated in another."""
    incidents = desk.receive(alerts)
    meter.received(alerts, source)
    return Response(Received(incidents=tuple(incidents)).model_dump_json(), 202, media_type="application/json")
