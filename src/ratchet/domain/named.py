"""Whether an alert speaks of a playbook: then its hypotheses are likelier; none of the others is left out."""

from ratchet.domain.alert import Alert
from ratchet.domain.playbook import Playbook


def is_named(playbook: Playbook, alert: Alert) -> bool:
    """Whether the alert speaks of this playbook: a match rule holds, or a symptom stands literally in its text."""
    text = alert.text().casefold()
    if any(symptom.casefold() in text for symptom in playbook.spec.symptoms):
        return True
    labels = {**alert.labels, "alertname": alert.name}
    return any(
        all(value.casefold() in text if key == "text" else labels.get(key) == value for key, value in rule.items())
        for rule in playbook.spec.match
    )
