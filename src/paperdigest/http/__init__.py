"""One polite, guarded HTTP client for everything that comes from outside.

`HttpClient.get` gives capped bytes or a `FetchError`; nothing else in the program opens a URL.
"""

from paperdigest.http.client import HttpClient
from paperdigest.http.message import MAX_BODY_BYTES, Request, Response
from paperdigest.http.pacing import DEFAULT_RULES, HostRule, Window
from paperdigest.http.parallel import Job, Outcome, batches_by_host, run_by_host

__all__ = [
    "DEFAULT_RULES",
    "MAX_BODY_BYTES",
    "HostRule",
    "HttpClient",
    "Job",
    "Outcome",
    "Request",
    "Response",
    "Window",
    "batches_by_host",
    "run_by_host",
]
