"""The measurements that every part may add to, and what each of them means.

Import this only after `PROMETHEUS_MULTIPROC_DIR` is set where several processes share one `/metrics`
(`webhook.serving.workspace.share_metrics`): prometheus_client chooses its storage when it is first imported.

A gauge that is the least of all processes has a label: one without is 0 from the start in every process, also in those
that never set it.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

REQUESTS: Final = Counter(
    "imagestreams_requests_total",
    "Requests answered, by verb, resource and status code.",
    ("verb", "resource", "code"),
)
DURATION: Final = Histogram(
    "imagestreams_request_duration_seconds",
    "Time to answer a request that is not a watch.",
    ("verb", "resource"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
IN_FLIGHT: Final = Gauge(
    "imagestreams_requests_in_flight",
    "Requests being answered now, watches included.",
    multiprocess_mode="livesum",
)
CERTIFICATE_EXPIRY: Final = Gauge(
    "imagestreams_certificate_expiry_timestamp_seconds",
    "When the serving certificate expires, in seconds since 1970.",
    multiprocess_mode="livemax",
)
ADMISSION_REVIEWS: Final = Counter(
    "imagestreams_admission_reviews_total",
    "Admission reviews answered, by outcome: allowed, rewritten, refused, fault, malformed, overloaded.",
    ("outcome",),
)
ADMISSION_IMAGES: Final = Counter(
    "imagestreams_admission_images_total",
    "Images looked at in admission reviews, by the reason of what was decided.",
    ("reason",),
)
VIEW_STREAMS: Final = Gauge(
    "imagestreams_view_streams",
    "Image streams that admission knows; the least of all processes.",
    ("resource",),
    multiprocess_mode="livemin",
)
VIEW_HEARD: Final = Gauge(
    "imagestreams_view_heard_timestamp_seconds",
    "When the API last told anything about image streams, in seconds since 1970; the earliest of all processes.",
    ("resource",),
    multiprocess_mode="livemin",
)
VIEW_FROM_SNAPSHOT: Final = Gauge(
    "imagestreams_view_from_snapshot",
    "1 while admission looks names up in a snapshot from before the start.",
    multiprocess_mode="livemax",
)
VIEW_QUESTIONS: Final = Counter(
    "imagestreams_view_questions_total",
    "Names that the view did not know, by what came of asking the API: found, absent, failed, limited.",
    ("outcome",),
)
ADMISSION_CONFIG_VALID: Final = Gauge(
    "imagestreams_admission_config_valid",
    "1 if admission follows the newest configuration file, 0 if that one cannot be used and the one before it holds.",
    ("file",),
    multiprocess_mode="livemin",
)
NOTIFICATIONS: Final = Counter(
    "imagestreams_notifications_total",
    "Push notifications of registries, by the status code that they were answered with.",
    ("code",),
)
IMPORTED_IMAGES: Final = Counter(
    "imagestreams_imported_images_total",
    "Images that imports asked for, by registry, result (success, failure) and the reason of the failure.",
    ("registry", "result", "reason"),
)
IMPORT_DURATION: Final = Histogram(
    "imagestreams_import_duration_seconds",
    "Time to fetch one import from all of its registries, by result.",
    ("result",),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50),
)
REGISTRY_REQUESTS: Final = Counter(
    "imagestreams_registry_requests_total",
    "Requests made to a registry and its token service.",
    ("registry",),
)
REGISTRY_BYTES: Final = Counter(
    "imagestreams_registry_received_bytes_total",
    "Bytes of manifests, configurations and lists of tags received from a registry.",
    ("registry",),
)
REGISTRY_WAIT: Final = Counter(
    "imagestreams_registry_wait_seconds_total",
    "Time that requests waited for the budget of a registry, or because it asked to be left alone.",
    ("registry",),
)
RATE_LIMIT_REMAINING: Final = Gauge(
    "imagestreams_registry_ratelimit_remaining",
    "What a registry last said is left of its rate limit (the header RateLimit-Remaining).",
    ("registry",),
    multiprocess_mode="mostrecent",
)
SCHEDULED_LOOKS: Final = Counter(
    "imagestreams_scheduled_looks_total",
    "Tags that were looked at without being asked for, by registry and result: unchanged, changed, failing, deferred.",
    ("registry", "result"),
)
IMPORT_LAG: Final = Gauge(
    "imagestreams_import_lag_seconds",
    "For how long the scheduled look that began last had been due.",
    multiprocess_mode="mostrecent",
)
