"""Settings become objects here; the only place that knows everybody."""

from ratchet.wiring.house import House, open_house

__all__ = ["House", "open_house"]
