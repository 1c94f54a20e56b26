"""The vocabulary: frozen values that every other module speaks in.

All datetimes are aware and in UTC (names end in ``_at``); dates say whose they are (``_on``, or
``edition`` for a subscriber's local date). Collections are tuples. Values that break an invariant
raise ``ValueError`` when they are made, so a value that exists is a value that makes sense.
"""

from paperdigest.types.deliveries import BounceKind, Delivery, DeliveryState, MailPhase, SuppressionReason
from paperdigest.types.digests import (
    Digest,
    Highlight,
    Placement,
    RankedPaper,
    Ranking,
    RankRequest,
    Reason,
    Verdict,
)
from paperdigest.types.listings import Listing, ListingState, Period, Unmodified, Validators
from paperdigest.types.papers import ANNOUNCE_TYPES, Appearance, Author, Entry, Paper, PaperId, StoredPaper
from paperdigest.types.pieces import LINK, Pieces, Recurring
from paperdigest.types.subscribers import Judgement, OnEmpty, Schedule, Subscriber, SubscriberStatus, Topic

__all__ = [
    "ANNOUNCE_TYPES",
    "LINK",
    "Appearance",
    "Author",
    "BounceKind",
    "Delivery",
    "DeliveryState",
    "Digest",
    "Entry",
    "Highlight",
    "Judgement",
    "Listing",
    "ListingState",
    "MailPhase",
    "OnEmpty",
    "Paper",
    "PaperId",
    "Period",
    "Pieces",
    "Placement",
    "RankRequest",
    "RankedPaper",
    "Ranking",
    "Reason",
    "Recurring",
    "Schedule",
    "StoredPaper",
    "Subscriber",
    "SubscriberStatus",
    "SuppressionReason",
    "Topic",
    "Unmodified",
    "Validators",
    "Verdict",
]
