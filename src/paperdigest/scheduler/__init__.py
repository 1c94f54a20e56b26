"""When to call a use case: the long-running process that beats, and is told what to do by signals."""

from paperdigest.scheduler.daemon import Daemon, Signalled

__all__ = ["Daemon", "Signalled"]
