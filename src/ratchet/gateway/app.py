"""The application: routes, guard and problems put together over a house."""

from fastapi import FastAPI

from ratchet import __version__
from ratchet.gateway import (
    routes_access,
    routes_alerts,
    routes_audit,
    routes_decisions,
    routes_drills,
    routes_hands_over,
    routes_health,
    routes_incidents,
    routes_learning,
    routes_playbooks,
    routes_records,
    routes_reports,
    routes_targets,
    routes_vault,
)
from ratchet.gateway.access import declarations
from ratchet.gateway.figures import Meter
from ratchet.gateway.guard import Guard
from ratchet.gateway.house import House, Listener
from ratchet.gateway.problem import add_problems

ROUTERS = (
    routes_alerts.router,
    routes_incidents.router,
    routes_records.router,
    routes_decisions.router,
    routes_hands_over.router,
    routes_drills.router,
    routes_playbooks.router,
    routes_vault.router,
    routes_reports.router,
    routes_learning.router,
    routes_targets.router,
    routes_access.router,
    routes_audit.router,
    routes_health.router,
)


def create_app(house: House, listener: Listener | None = None) -> FastAPI:
    """The gateway over a house; raises RuntimeError when a route does not say who may use it."""
    app = FastAPI(
        title="Ratchet",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=[route for router in ROUTERS for route in router.routes],
    )
    app.state.house = house
    app.state.listener = listener or Listener()
    app.state.meter = Meter(house.figures)
    add_problems(app)
    app.add_middleware(Guard, listener=app.state.listener)
    undeclared = [route for route, declared in declarations(app).items() if declared is None]
    if undeclared:
        raise RuntimeError(f"these routes do not say who may use them: {', '.join(undeclared)}")
    return app
