"""The lab: servers of our own, a shop that suffers visibly, and faults caused on purpose."""
