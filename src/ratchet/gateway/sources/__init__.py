"""What monitors send, read into alerts; a source is one pure function over a body."""
