"""A site's own playbooks: every file of its directories is offered to the vault at start as a draft, never as more."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from ratchet.domain.errors import Refusal
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Store
from ratchet.domain.series import VersionDrafted
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.making import blanks_of
from ratchet.vault.seeding import BY, SUFFIX, shipped_version

Log = Callable[[str], None]


def site_texts(directories: Sequence[Path], log: Log) -> dict[str, str]:
    """The playbooks of the directories: path to text, in the order of the directories, by name within each."""
    found: dict[str, str] = {}
    for directory in directories:
        for path in sorted(directory.glob(f"*{SUFFIX}")):
            try:
                found[str(path)] = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                _say(log, "WARN", "playbooks: a site's file cannot be read", file=str(path))
    return found


def offer(store: Store, files: PlaybookFiles, texts: Mapping[str, str], at: tuple[datetime, Log]) -> int:
    """Keep each text as a draft (source `manual`) once; returns how many are new.

    A text that the vault has had before stays as it is there, edited or thrown away as it may be. What cannot be kept
    is told and passed by: a draft that is wrong must not keep the house from starting.
    """
    now, log = at
    kept = 0
    for where, text in texts.items():
        try:
            files.check_kept(text, where)
            playbook = _manual(files.load(text, where))
        except Refusal as refused:
            first = f"; first: {refused.mistakes[0]}" if refused.mistakes else ""
            _say(log, "WARN", "playbooks: a site's file is passed by", file=where, because=f"{refused.message}{first}")
            continue
        kept += _keep(store, playbook, where, (now, log))
    return kept


def _manual(playbook: Playbook) -> Playbook:
    return playbook.model_copy(update={"metadata": playbook.metadata.model_copy(update={"source": "manual"})})


def _keep(store: Store, playbook: Playbook, where: str, at: tuple[datetime, Log]) -> bool:
    now, log = at
    digest = text_digest(canonical_text(playbook))
    version_id = f"pb_manual_{digest.removeprefix('sha256:')[:12]}"
    series = store.series(playbook.metadata.series)
    if any(version.id == version_id or version.digest == digest for version in series.versions):
        return False
    if any(one.version == playbook.metadata.version and one.state != "discarded" for one in series.versions):
        because = f"{playbook.pin} is another text already; raise metadata.version, or edit that draft"
        _say(log, "WARN", "playbooks: a site's file is passed by", file=where, because=because)
        return False
    made = shipped_version(playbook, now).model_copy(update={"id": version_id, "blanks": blanks_of(playbook)})
    store.commit_series(series, VersionDrafted(version=made), by=BY)
    _say(log, "INFO", "playbooks: a site's file is a draft", file=where, id=version_id, playbook=playbook.pin)
    return True


def _say(log: Log, level: str, message: str, **more: str) -> None:
    words = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in more.items()}
    log(f'{level} msg="{message}" ' + " ".join(f'{name}="{value}"' for name, value in words.items()))
