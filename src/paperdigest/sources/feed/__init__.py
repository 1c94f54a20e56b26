"""Feeds of every kind, read by their bytes.

::

    bytes -> intake (size, encoding, document type, root)
          -> json_feed | fast (well-formed) | armour -> tolerant (feedparser)   = raw fields
          -> entries (markup, dates, authors, blob, links)                      = papers
"""

from paperdigest.sources.feed.source import FeedSettings, FeedSource

__all__ = ["FeedSettings", "FeedSource"]
