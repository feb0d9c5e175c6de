"""The start of a server, step by step: everything that can be refused is refused before the first fork."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from webhook.serving import listening, workspace
from webhook.serving.workspace import CannotServe
from webhook.settings import Settings
from webhook.storage.lock import hold
from webhook.storage.store import StoreUnavailable

if TYPE_CHECKING:
    from webhook.serving.server import Program

MakeProgram = Callable[[Settings], "Program"]


def start(settings: Settings, announce: Callable[[Settings], None], make_program: MakeProgram | None = None) -> None:
    """Serve until a signal; returns only by SystemExit, or by `CannotServe` with a sentence and a way out.

    `announce` is called once with the settings as they came out (a port for 0) when nothing can be refused any more.
    """
    # The database holds pull secrets: no file of this process is for others to read.
    os.umask(0o077)
    workspace.make_writable(settings.data)
    if settings.snapshot is not None:
        workspace.make_writable(settings.snapshot.parent, "folder of the snapshot", "--snapshot")
    if settings.metrics_listen is not None:
        # One process binds it after the fork, where nobody could be told that it is taken.
        listening.reserve(*settings.metrics_listen, "--metrics-listen").close()
    try:
        with hold(settings.data), listening.reserve(settings.host, settings.port) as reserved:
            settings = replace(settings, port=reserved.getsockname()[1])
            workspace.prepare(settings)
            _serve(settings, announce, make_program or _standalone)
    except StoreUnavailable as error:
        raise CannotServe(str(error)) from None


def _serve(settings: Settings, announce: Callable[[Settings], None], make_program: MakeProgram) -> None:
    # Imported here, as prometheus_client looks for the shared folder when it is imported.
    from webhook.serving import logs
    from webhook.serving.server import Server

    logs.configure()
    # The program first: it may have a certificate to fetch that the server shows.
    program = make_program(settings)
    workspace.check_certificate(settings)
    server = Server(settings, program)
    announce(settings)
    server.run()


def _standalone(settings: Settings) -> Program:
    from webhook.serving.compose import Standalone

    return Standalone(settings, workspace.administrator(settings))
