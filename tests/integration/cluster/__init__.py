"""Tests against a real kube-apiserver, where there is one: see `cluster.py`."""
