"""Everything that can be wrong around paperdigest, asked at once, each with its next step.

Nothing is changed and no mail is sent. A name server or mail server that cannot be asked is a warning, and nothing
waits for longer than some seconds.
"""

from paperdigest.app.doctor.examination import Tools, examine
from paperdigest.app.doctor.findings import Finding, Level

__all__ = ["Finding", "Level", "Tools", "examine"]
