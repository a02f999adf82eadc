"""`ratchet version`."""

import platform

from ratchet import __version__
from ratchet.cli.commands.noun import single
from ratchet.cli.show import Form, FormOption, document, out

app = single()


@app.command("version")
def version(form: FormOption = Form.TABLE) -> None:
    """Say which version this is."""
    if form in (Form.JSON, Form.JSONL, Form.YAML):
        document({"version": __version__, "python": platform.python_version()}, form)
    else:
        out(f"ratchet {__version__}")
