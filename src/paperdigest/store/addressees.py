"""Which address a mail went to: the one in its frozen digest, which may be an earlier one of its subscriber.

Whoever corrects a mistyped address, or moves, must not suffer for what comes back from the earlier one.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, case, func, or_

from paperdigest.store.delivery_tables import deliveries, digests, subscribers
from paperdigest.store.operation_tables import bounces

__all__ = ["REPORTED", "about_present", "went_to"]

REPORTED = (
    bounces.join(subscribers, subscribers.c.id == bounces.c.subscriber_id)
    .outerjoin(deliveries, deliveries.c.id == bounces.c.delivery_id)
    .outerjoin(digests, digests.c.id == deliveries.c.digest_id)
)
"""Reports, each with its subscriber, and with its mail where that is known."""


def went_to() -> ColumnElement[str]:
    """Return the address that a digest was made for; the present one where that cannot be read.

    For statements that select from ``digests`` and ``subscribers``.
    """
    frozen = digests.c.frozen
    told = case((func.json_valid(frozen) == 1, func.json_extract(frozen, "$.subscriber.email")))
    return func.coalesce(told, subscribers.c.email)


def about_present() -> ColumnElement[bool]:
    """Return the condition that a report of `REPORTED` is about the address that its subscriber has now.

    Letters differ in nothing by their case: see `suppressions`.
    """
    is_present = func.lower(went_to()) == func.lower(subscribers.c.email)
    return or_(bounces.c.delivery_id.is_(None), and_(digests.c.id.is_not(None), is_present))
