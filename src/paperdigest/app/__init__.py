"""The composition root: the only place where settings, plug-ins, store and use cases meet.

Command line, scheduler and web are thin callers of `App`.
"""

from paperdigest.app.application import App
from paperdigest.app.checking import check_mail, read_settings
from paperdigest.app.opml import opml_of, tables_of_opml
from paperdigest.app.storage import upgrade_store

__all__ = ["App", "check_mail", "opml_of", "read_settings", "tables_of_opml", "upgrade_store"]
