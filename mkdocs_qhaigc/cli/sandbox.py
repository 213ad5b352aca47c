"""`mkdocs-qhaigc sandbox`: the embedded Images API server, alone or around another command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading

import click

from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.config.options import SANDBOX_VARIABLE

_KEY_VARIABLE = "QHAIGC_API_KEY"
_ADDRESS_VARIABLE = "QHAIGC_BASE_URL"


@click.command(short_help="Run the embedded Images API server.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 finds a free one.")
@click.option(
    "--latency",
    type=click.FloatRange(0, 600),
    default=0.0,
    metavar="SECONDS",
    help="Wait before each answer.",
)
@click.option("--tasks", is_flag=True, help="Answer with tasks, which take the latency, instead of images.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def sandbox(port: int, latency: float, tasks: bool, command: tuple[str, ...]) -> None:
    """Run the embedded Images API server, which draws images instead of selling them.

    With a COMMAND (after --): run it with QHAIGC_BASE_URL and QHAIGC_API_KEY set to the server, and end with it.

    Without: serve until Ctrl-C.
    """
    from mkdocs_qhaigc.sandbox import Sandbox  # only this command draws

    server = Sandbox(port=port, latency=latency, tasks=tasks)
    try:
        server.start()
    except OSError as error:
        raise click.ClickException(f"port {port} cannot be used ({error.strerror or error}). Choose another") from error
    with server:
        if not command:
            _serve_until_ctrl_c(server.base_url)
            return
        code = _run(command, {_ADDRESS_VARIABLE: server.base_url, _KEY_VARIABLE: "sandbox", SANDBOX_VARIABLE: "1"})
        count = sum(1 for request in server.received if request.path.endswith(("/images/generations", "/images/edits")))
        times = plural(count, "once", f"{count} times")
        click.echo(f"The sandbox was asked for images {times}.", err=True)
    sys.exit(code)


def _run(command: tuple[str, ...], variables: dict[str, str]) -> int:
    """Run a command with further environment variables; return its exit code. SIGTERM to this program ends it, too."""
    try:
        program = shutil.which(command[0]) or command[0]  # on Windows it may be a .cmd
        process = subprocess.Popen([program, *command[1:]], env={**os.environ, **variables})  # noqa: S603 - as typed
    except OSError as error:
        raise click.ClickException(
            f"{command[0]} cannot be run ({error.strerror or error}). Activate its environment, or write its whole path"
        ) from error
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                code = process.wait()
                break
            except KeyboardInterrupt:  # the terminal sent it to the command, too, which ends itself
                continue
    finally:
        signal.signal(signal.SIGTERM, before)
    return code if code >= 0 else 128 - code


def _serve_until_ctrl_c(base_url: str) -> None:
    forever = threading.Event()
    try:  # Ctrl-C may be pressed as soon as the address is printed
        click.echo(f"The sandbox serves at {base_url} (Ctrl-C ends it). In another terminal:\n")
        if os.name == "nt":
            click.echo(f"  $env:{_ADDRESS_VARIABLE} = '{base_url}'; $env:{_KEY_VARIABLE} = 'sandbox'")
        else:
            click.echo(f"  export {_ADDRESS_VARIABLE}={base_url} {_KEY_VARIABLE}=sandbox")
        while not forever.wait(0.5):  # in steps: on Windows, Ctrl-C does not end an endless wait
            pass
    except KeyboardInterrupt:
        click.echo("\nThe sandbox has ended.")
