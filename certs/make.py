"""Makes a development authority and a server certificate in this folder; run again, it renews what expires soon."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from webhook.tls.authority import Authority, hosts_of

FOLDER = Path(__file__).parent


def main(hosts: list[str]) -> None:
    """`make.py [NAME_OR_ADDRESS...]`: names for the certificate beside those of this machine."""
    changed = Authority(FOLDER).ensure([*hosts_of("127.0.0.1", socket.gethostname()), *hosts])
    print(f"{'made' if changed else 'still good:'} ca.crt, ca.key, server.crt, server.key in {FOLDER}")


if __name__ == "__main__":
    main(sys.argv[1:])
