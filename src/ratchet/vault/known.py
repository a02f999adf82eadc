"""What the vault must know of probes and tools to judge a file; wiring fills it from the registry."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ratchet.domain.plan import ToolSpec


@dataclass(frozen=True)
class KnownTools:
    """Registered probe names with the columns each may yield, and the write tools by name."""

    probes: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    tools: Mapping[str, ToolSpec] = field(default_factory=dict[str, ToolSpec])

    @property
    def capabilities(self) -> frozenset[str]:
        """Every capability that some write tool offers."""
        return frozenset(name for tool in self.tools.values() for name in tool.capabilities)
