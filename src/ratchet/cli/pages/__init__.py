"""What the nouns look like to a person, as pages."""
