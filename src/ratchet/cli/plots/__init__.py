"""Pictures of what the runs say: laid out once, painted as SVG or PNG."""
