"""From an alert to a conclusion: match the target, look in parallel, judge every hypothesis at once."""
