"""What cannot be meant by the arguments of ``fetch``, said in words that lead to what can."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from paperdigest.errors import UsageError

__all__ = ["FetchArguments"]

_DAY = re.compile(r"\d{4}-?\d\d-?\d\d\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchArguments:
    """The arguments as they were typed."""

    names: tuple[str, ...] = ()
    day: date | None = None
    since: date | None = None
    until: date | None = None
    origins: tuple[str, ...] = ()
    kind: str | None = None
    allow_private: bool = False

    def check(self, today: date) -> None:
        """Refuse what excludes each other, or is not there to be fetched.

        Raises:
            UsageError: with the problem, and what to type instead.
        """
        self._check_range()
        if self.origins:
            self._check_documents()
            return
        if self.kind:
            hint = "Add --from FILE, a URL, or - for standard input"
            raise UsageError("--as says what the documents of --from are, and there is no --from", hint)
        if self.allow_private:
            hint = "For a source of the settings write allow_private = true into its [[sources]] table"
            raise UsageError("--allow-private is for --from with a URL", hint)
        for option, value in (("--date", self.day), ("--since", self.since), ("--until", self.until)):
            if value is not None and value > today + timedelta(days=1):  # where the sun rises first it is that day
                raise UsageError(
                    f"{option} {value} is in the future: today is {today} (UTC)", "Name a day that has come"
                )

    def check_names(self, known: Collection[str]) -> None:
        """Refuse what was taken for the name of a source and is none.

        Raises:
            UsageError: with what it may have been meant for.
        """
        strangers = [name for name in self.names if name not in known]
        if self.origins and (strangers or len(self.names) > 1):
            self._refuse_more_documents(strangers or list(self.names))
        for name in strangers:
            configured = f"Configured: {', '.join(known) or 'none'}"
            if _DAY.match(name):
                configured = f"A day is named by --date {name}, a range by --since FIRST --until LAST"
            elif _is_document(name):
                configured = f"A document is read by: paperdigest fetch --from {name} --as KIND"
            raise UsageError(f"no source is named {name!r}", configured)

    def _check_range(self) -> None:
        if self.day and (self.since or self.until):
            hint = "Give --date alone, or --since with --until"
            raise UsageError("--date is one day, --since and --until are the first and last of several", hint)
        if self.until and not self.since:
            raise UsageError("--until is the last day of a range whose first is not given", "Add --since DATE")
        if self.since and self.until and self.since > self.until:
            hint = f"Did you mean --since {self.until} --until {self.since}?"
            raise UsageError(f"--since {self.since} is a later day than --until {self.until}", hint)

    def _check_documents(self) -> None:
        if self.since:
            hint = "Leave --since and --until out, or leave --from out to ask the source"
            raise UsageError("--from reads the documents it is given, whatever their days", hint)
        if not self.kind and not self.names:
            hint = "Add --as with huggingface, arxiv, feed or text-dump, or the name of a configured source"
            raise UsageError("it is not said what kind of documents --from reads", hint)

    def _refuse_more_documents(self, names: list[str]) -> None:
        first = self.origins[0]
        if len(self.names) == 1 and not _is_document(names[0]):
            hint = "`paperdigest sources list` shows those that are"
            raise UsageError(f"--from would be read as of the source {names[0]!r}, which is not configured", hint)
        told = ", ".join(repr(name) for name in names[:3]) + ", …" * (len(names) > 3)
        what = "the name of a source" if len(names) == 1 else "the names of sources"
        hint = f"Write --from {first} --from {names[0]}, or --from FOLDER for all files of a folder"
        raise UsageError(f"--from takes one document, here {first}; {told} would be {what}", hint)


def _is_document(name: str) -> bool:
    return name == "-" or "/" in name or "." in name or Path(name).exists()
