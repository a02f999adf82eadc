"""From a conclusion to a proved recovery: bind, ask, act once, verify, or hand over."""
