"""The nouns, a module each; loaded when they are used."""
