"""A reader's own collections of references: BibTeX, Zotero's CSV and RIS, read as examples of what they like.

`writing` is the other direction: papers as BibTeX for that collection.

Everything here is pure: bytes in, examples out. Entries that cannot be used are skipped and counted with a reason.
"""

from paperdigest.libraries.examples import Example, Library, Skipped
from paperdigest.libraries.reading import read_library

__all__ = ["Example", "Library", "Skipped", "read_library"]
