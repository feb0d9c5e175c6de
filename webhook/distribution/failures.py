"""Why a registry did not give what was asked of it.

DistributionError           the message is for the user who asked for the import; it never carries a secret
├── Unreachable             no connection, or no answer in time
│   └── PlainHttp           an HTTP server where HTTPS was expected
├── EgressRefused           an address that imports may not connect to
├── EndpointsFailed         neither the mirrors nor the source gave it
├── Blocked                 a registry that the administrator has blocked
├── UnexpectedAnswer        an answer that the protocol does not know: HTML, a server error, a redirect loop
│   └── RateLimited         the registry's budget is used up, or it asks to be left alone
├── TooLarge                a body over its limit
├── ContentMismatch         bytes that do not have the digest they were asked for by
├── Denied                  the registry refuses access: its error list says so
├── CredentialsMissing      the registry wants a password and there is none
├── WrongPassword           the token service refuses the user name or password
├── ManifestUnknown         no such tag or digest
├── RepositoryUnknown       no such repository
└── CorruptSecret           a pull secret cannot be decoded
"""

from __future__ import annotations

from collections.abc import Sequence


class DistributionError(Exception):
    """Something went wrong between this client and a registry."""


class Unreachable(DistributionError):
    """No connection, or no answer in time."""


class PlainHttp(Unreachable):
    """The server speaks HTTP where HTTPS was expected."""


class EgressRefused(DistributionError):
    """The address is one that imports may not connect to."""


class EndpointsFailed(DistributionError):
    """Of all places to read an image from, each failed; `failed` has the reference that was tried and the reason."""

    def __init__(self, failed: Sequence[tuple[str, Exception]]) -> None:
        super().__init__("; ".join(f"{tried}: {error}" for tried, error in failed))
        self.failed = failed


class Blocked(DistributionError):
    """The administrator allows nothing to be read from this registry."""


class UnexpectedAnswer(DistributionError):
    """The answer is not one of a registry."""


class RateLimited(UnexpectedAnswer):
    """The registry may not be asked in the time there is."""


class TooLarge(DistributionError):
    """The body is larger than anything that would be taken."""


class ContentMismatch(DistributionError):
    """The bytes have another digest than the one that names them."""


class Denied(DistributionError):
    """The registry knows who asks, or that nobody does, and refuses."""


class CredentialsMissing(DistributionError):
    """The registry asks for a password, and no pull secret has one for it."""


class WrongPassword(DistributionError):
    """The token service refuses the user name or password."""


class ManifestUnknown(DistributionError):
    """The registry has no such tag or digest."""


class RepositoryUnknown(DistributionError):
    """The registry has no such repository."""


class CorruptSecret(DistributionError):
    """A pull secret cannot be decoded; which one is said, its content is not."""
