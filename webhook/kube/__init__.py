"""Access to a Kubernetes API: connection, client, watch and reflector, over urllib3."""
