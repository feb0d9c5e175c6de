"""The command `imagestreams`: finds the subcommand, and turns every failure into one sentence with a way out."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Final, NoReturn

import click

from webhook import __version__
from webhook.errors import StatusError

_COMMANDS: Final = {
    "explain": "webhook.cli.explain:explain",
    "import": "webhook.cli.import_image:import_image",
    "resolve": "webhook.cli.resolve:resolve",
    "serve": "webhook.cli.serve:serve",
    "tag": "webhook.cli.tag:tag",
    "webhook": "webhook.cli.webhook:webhook",
}

_SUMMARIES: Final = {
    "Servers": {
        "serve": "Run the image API, imports and admission on this machine.",
        "webhook": "Run admission alone, for a cluster that serves image streams.",
    },
    "Image streams": {
        "import": "Import images from a registry into an image stream.",
        "tag": "Tag an image into image streams.",
    },
    "Manifests": {
        "resolve": "Print manifests with their image names resolved to digests.",
        "explain": "Say why each image of an object becomes what it becomes, or stays.",
    },
}

_EXAMPLES: Final = """
\b
Examples:
  imagestreams serve                                  # https://127.0.0.1:8443, data in ./var
  export KUBECONFIG=var/admin.kubeconfig              # then, in another terminal:
  kubectl create -f stream.yaml
  imagestreams import php --from quay.io/acme/php:8.2 --confirm
  imagestreams tag php:latest php:prod
  kubectl get imagestreams
\b
  imagestreams resolve -f deploy.yaml                 # asks the cluster of the current context
  imagestreams resolve -f k8s/ -s streams.yaml --diff # no cluster needed
  kubectl get is -o yaml > streams.yaml               # where the streams come from
  imagestreams explain deployment/web                 # why its images are what they are
"""

_CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyGroup(click.Group):
    """A group that imports a subcommand only when it runs: `resolve` does not pay for the server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the subcommands."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand, imported now."""
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of subcommands, without importing any."""
        for title, commands in _SUMMARIES.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


@click.group(cls=LazyGroup, epilog=_EXAMPLES, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="imagestreams", message="%(prog)s %(version)s")
def imagestreams() -> None:
    """OpenShift image streams, short image names and digest pinning for any Kubernetes."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        code = imagestreams.main(arguments, prog_name="imagestreams", standalone_mode=False)
    except click.exceptions.Abort:
        _fail("interrupted", 130)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        sys.exit(2)
    except click.UsageError as error:
        _fail(f"{error.format_message()}{_hint(error)}", 2)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except StatusError as error:
        _fail(f"the server answered: {error.message}", 1)
    except BrokenPipeError:
        # The reader of our output has enough, as in `imagestreams resolve … | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("IMAGESTREAMS_DEBUG"):
            raise
        _fail(f"{_unexpected(error)}; set IMAGESTREAMS_DEBUG=1 to see where", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _hint(error: click.UsageError) -> str:
    command = error.ctx.command_path if error.ctx is not None else "imagestreams"
    return f" (see {command} --help)"


def _unexpected(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}" if error.filename else error.strerror.lower()
    return f"this should not have happened ({type(error).__name__}: {error})"


def _fail(text: str, code: int) -> NoReturn:
    print(f"imagestreams: {text}", file=sys.stderr)
    sys.exit(code)
