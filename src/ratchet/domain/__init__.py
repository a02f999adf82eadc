"""Words and decisions of Ratchet: values in, values out, no I/O."""
