"""`interlock completion`: prints the script that makes a shell complete commands and options."""

from __future__ import annotations

import click

from interlock.cli.option import ClientCommand


@click.command(cls=ClientCommand, name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    r"""Print the completion script of a shell.

    \b
    bash: interlock completion bash >> ~/.bashrc
    zsh:  interlock completion zsh >> ~/.zshrc
    fish: interlock completion fish > ~/.config/fish/completions/interlock.fish
    """
    from click.shell_completion import get_completion_class

    from interlock.cli.program import PROGRAM

    made = get_completion_class(shell)
    assert made is not None
    script = made(PROGRAM, {}, "interlock", "_INTERLOCK_COMPLETE")
    # not script.source(): that starts a bash only to ask for its version
    click.echo(script.source_template % script.source_vars())
