"""Conversations recorded from OpenShift, replayed against a server: `python -m tests.conformance --help`."""
