"""The HTTP door: it parses, asks the desk and renders; it decides nothing."""
