"""Keeping for `statistics` the text under which a paper was counted, before the text changes or the paper goes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from sqlite3 import Cursor

__all__ = ["keep_counted"]

_KEEP = """
INSERT INTO recounts (paper_id, title, abstract)
SELECT id, title, abstract FROM papers
WHERE id IN (SELECT value FROM json_each(?)) AND id <= (SELECT max(counted_up_to) FROM archive_statistics)
ON CONFLICT (paper_id) DO NOTHING
"""


def keep_counted(cursor: Cursor, numbers: Iterable[int]) -> None:
    """Keep the present texts of those papers that are counted and whose counted text is not kept yet.

    Must come before their texts change; costs one statement, and nothing for no papers.
    """
    wanted = sorted(numbers)
    if wanted:
        cursor.execute(_KEEP, (json.dumps(wanted),))
