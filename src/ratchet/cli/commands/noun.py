"""How a noun's commands are put together."""

import typer

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def noun(says: str) -> typer.Typer:
    """A noun with verbs; plain help, no decorated tracebacks."""
    app = typer.Typer(
        help=says,
        add_completion=False,
        no_args_is_help=False,
        invoke_without_command=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=dict(SETTINGS),
    )

    def show_help(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help())

    app.callback(help=says)(show_help)
    return app


def single() -> typer.Typer:
    """A noun that is its own verb."""
    return typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=dict(SETTINGS)
    )
