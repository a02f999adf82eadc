"""What anyone may ask of Ratchet; the only way in."""
