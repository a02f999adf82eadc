"""PostgreSQL: sessions, read probes, write tools and the rights they need."""
