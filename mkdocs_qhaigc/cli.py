"""The command line: `mkdocs-qhaigc`. The one owner of click."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import click

from mkdocs_qhaigc import __version__

_KEY_VARIABLE = "QHAIGC_API_KEY"
_ADDRESS_VARIABLE = "QHAIGC_BASE_URL"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mkdocs-qhaigc")
def main() -> None:
    """Pictures for MkDocs pages from prompts in their front matter."""


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 finds a free one.")
@click.option(
    "--latency",
    type=click.FloatRange(0, 600),
    default=0.0,
    metavar="SECONDS",
    help="Wait before each answer.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def sandbox(port: int, latency: float, command: tuple[str, ...]) -> None:
    """Run the embedded Images API server, which draws pictures instead of selling them.

    With a COMMAND (after --): run it with QHAIGC_BASE_URL and QHAIGC_API_KEY set to the server, and end with it.

    Without: serve until Ctrl-C.
    """
    from mkdocs_qhaigc.sandbox import Sandbox  # only this command draws

    server = Sandbox(port=port, latency=latency)
    try:
        server.start()
    except OSError as error:
        raise click.ClickException(f"port {port} cannot be used ({error.strerror or error}). Choose another") from error
    with server:
        if not command:
            click.echo(f"The sandbox serves at {server.base_url} (Ctrl-C ends it). In another terminal:\n")
            click.echo(f"  export {_ADDRESS_VARIABLE}={server.base_url} {_KEY_VARIABLE}=sandbox")
            _wait_for_ctrl_c()
            return
        environment = {**os.environ, _ADDRESS_VARIABLE: server.base_url, _KEY_VARIABLE: "sandbox"}
        try:
            finished = subprocess.run(command, env=environment, check=False)  # noqa: S603 - what the user typed
        except OSError as error:
            raise click.ClickException(f"{command[0]} cannot be run ({error.strerror or error})") from error
        count = sum(1 for request in server.received if request.path.endswith("/images/generations"))
        click.echo(f"The sandbox was asked for pictures {count} times.", err=True)
    sys.exit(finished.returncode if finished.returncode >= 0 else 128 - finished.returncode)


def _wait_for_ctrl_c() -> None:
    forever = threading.Event()
    try:
        while not forever.wait(0.5):  # in steps, for a wait without end hears no Ctrl-C on Windows
            pass
    except KeyboardInterrupt:
        click.echo("\nThe sandbox has ended.")
