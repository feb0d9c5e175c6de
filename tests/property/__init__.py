"""Random use of the server against models of what it should do."""
