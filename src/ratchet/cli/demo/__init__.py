"""`ratchet demo`: a PostgreSQL of our own is broken, diagnosed, mended behind an approval, and left in order."""
