"""The vault: playbook files read, reviewed, seeded, put on the shelf, and drafted from what worked."""
