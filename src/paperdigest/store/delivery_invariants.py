"""What must always be true of digests, deliveries and what came back, as questions whose answer must be 0."""

from __future__ import annotations

__all__ = ["DELIVERY_INVARIANTS"]

DELIVERY_INVARIANTS = {
    # Planned = sent + failed + expired + skipped + deferred + in doubt + leased + …: each digest is in one state.
    "digests without a delivery": "SELECT count(*) FROM digests WHERE id NOT IN (SELECT digest_id FROM deliveries)",
    "digests beside another one of the same subscriber and edition": """
        SELECT count(*) - count(DISTINCT subscriber_id || ' ' || edition) FROM digests
    """,
    "digests that cannot be read": "SELECT count(*) FROM digests WHERE NOT json_valid(frozen)",
    "papers of digests whose text is missing": """
        SELECT count(*) FROM digest_items WHERE fragment IS NOT NULL AND fragment NOT IN (SELECT key FROM fragments)
    """,
    "digests with a gap in their papers": """
        SELECT count(*) FROM (SELECT 1 FROM digest_items GROUP BY digest_id HAVING max(position) <> count(*))
    """,
    "texts of digests that cannot be read": "SELECT count(*) FROM fragments WHERE NOT json_valid(frozen)",
    "sent deliveries without the moment": "SELECT count(*) FROM deliveries WHERE state = 'sent' AND sent_at IS NULL",
    "deliveries with a moment of sending that were not sent": """
        SELECT count(*) FROM deliveries WHERE state <> 'sent' AND sent_at IS NOT NULL
    """,
    "deliveries under way without a lease": """
        SELECT count(*) FROM deliveries
        WHERE state IN ('leased', 'sending') AND (lease_until IS NULL OR lease_owner IS NULL)
    """,
    "deliveries with a lease that are not under way": """
        SELECT count(*) FROM deliveries WHERE state NOT IN ('leased', 'sending') AND lease_until IS NOT NULL
    """,
    # Before schema 0003, whose digests have no fragments, there were no hashes.
    "deliveries being sent of which nothing is known": """
        SELECT count(*) FROM deliveries WHERE state = 'sending' AND content_hash IS NULL
        AND digest_id IN (SELECT digest_id FROM digest_items WHERE fragment IS NOT NULL)
    """,
    "deliveries tried more often than they were claimed": """
        SELECT count(*) FROM deliveries WHERE attempts > lease_epoch OR attempts < 0
    """,
    "deliveries that came to an end without an attempt": """
        SELECT count(*) FROM deliveries WHERE attempts = 0 AND state NOT IN ('planned', 'expired')
    """,
    "attempts that nobody made": """
        SELECT count(*) FROM attempts a JOIN deliveries v ON v.id = a.delivery_id
        WHERE a.number < 1 OR a.number > v.attempts
    """,
    "letters kept of deliveries that are settled": """
        SELECT count(*) FROM letters l JOIN deliveries v ON v.id = l.delivery_id
        WHERE v.state IN ('sent', 'failed', 'expired', 'skipped')
    """,
    "bounces of mails to somebody else": """
        SELECT count(*) FROM bounces b JOIN deliveries v ON v.id = b.delivery_id JOIN digests d ON d.id = v.digest_id
        WHERE d.subscriber_id <> b.subscriber_id
    """,
    "suppressed addresses that are no hash": "SELECT count(*) FROM suppressions WHERE length(address_hash) <> 32",
    "runs whose report cannot be read": """
        SELECT count(*) FROM runs WHERE detail IS NOT NULL AND NOT json_valid(detail)
    """,
}
