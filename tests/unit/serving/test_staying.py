"""The worker that leans on gunicorn's inside."""

import gunicorn

from webhook.serving.staying import WRITTEN_FOR


def test_gunicorn_is_of_the_minor_version_that_the_worker_was_written_for():
    assert gunicorn.version_info[:2] == WRITTEN_FOR, "read webhook/serving/staying.py against the new gthread.py first"
