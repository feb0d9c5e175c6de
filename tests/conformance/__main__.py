"""Replay conversations that were recorded from OpenShift, and report by area where a server answers otherwise.

`run --target FILE` asks any server; without a target, servers of this project and their registries are started.
Known deviations and what is not there yet are listed in docs/deviations.yaml; everything else that differs, and a
listed conversation that does not differ, fails. tests/conformance/README.md describes the target file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conformance.conversations import Conversation, load
from tests.conformance.examination import examine, examine_together
from tests.conformance.exceptions import Exceptions, Outcome, Verdict
from tests.conformance.own_server import running
from tests.conformance.report import table
from tests.conformance.target import Target

_LINES = 3  # of differences, without -v


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all is as expected, 1 when something is not, 2 when nothing could be started."""
    options = _parser().parse_args(arguments)
    conversations = list(load(options.only))
    if options.command == "list":
        for conversation in conversations:
            needs = f" (needs {', '.join(sorted(conversation.needs))})" if conversation.needs else ""
            print(f"{conversation.id}: {conversation.about}{needs}")
        return 0
    exceptions = Exceptions() if options.no_exceptions else Exceptions.read()
    try:
        if options.target:
            return _run([(Target.read(options.target), conversations)], exceptions, verbose=options.verbose)
        with _own_servers(conversations) as parts:
            return _run(parts, exceptions, verbose=options.verbose)
    except (pytest.skip.Exception, pytest.fail.Exception) as reason:
        print(reason.msg, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m tests.conformance", description=__doc__, formatter_class=formatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="run | list")
    run = commands.add_parser("run", help="replay, compare and report")
    run.add_argument("--target", type=Path, metavar="FILE", help="the server to ask (default: start one)")
    run.add_argument("-v", "--verbose", action="store_true", help="every conversation, and every difference")
    run.add_argument("--no-exceptions", action="store_true", help="without the list: for servers of other projects")
    listing = commands.add_parser("list", help="show what there is")
    for command in (run, listing):
        command.add_argument("--only", nargs="+", default=(), metavar="WORD", help="ids that contain one of the words")
    return parser


Part = tuple[Target, Sequence[Conversation]]


@contextmanager
def _own_servers(conversations: Sequence[Conversation]) -> Iterator[list[Part]]:
    """A server for what is recorded without a controller, and one for what is about it; only those that are needed."""
    with ExitStack() as stack:
        parts = []
        for controllers in (False, True):
            chosen = [one for one in conversations if one.wants_controller is controllers]
            if chosen:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conformance-")))
                parts.append((stack.enter_context(running(folder, controllers=controllers)), chosen))
        yield parts


def _run(parts: Sequence[Part], exceptions: Exceptions, *, verbose: bool) -> int:
    waiting = [(target, [one for one in chosen if one.wants_controller]) for target, chosen in parts]
    coming = [examine_together(target, chosen, exceptions) for target, chosen in waiting]
    later = {name: verdict for some in coming for name, verdict in some.items()}
    results = []
    for target, chosen in parts:
        for conversation in chosen:
            if conversation.id in later:
                verdict = later[conversation.id].result()
            else:
                verdict = examine(target, conversation, exceptions)
            results.append((conversation.area, verdict.outcome))
            _print(conversation, verdict, verbose=verbose)
    print(table(results))
    return int(any(outcome is Outcome.FAILED for _, outcome in results))


def _print(conversation: Conversation, verdict: Verdict, *, verbose: bool) -> None:
    if verdict.outcome is Outcome.FAILED or verbose:
        print(f"{verdict.outcome.name.replace('_', ' ').lower()}: {conversation.id}", flush=True)
        for line in verdict.lines if verbose else verdict.lines[:_LINES]:
            print(f"    {line}")


if __name__ == "__main__":
    sys.exit(main())
