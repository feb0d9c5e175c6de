"""The programs as one running server: gunicorn, TLS, request identity, health, metrics and logs."""
