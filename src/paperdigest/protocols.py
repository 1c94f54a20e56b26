"""The seams: what a source, a scorer and a mailer must be able to do.

The pipeline knows plug-ins only by these protocols. A third party implements one of them and
registers a source or mailer by entry point (``paperdigest.sources``, ``paperdigest.mailers``).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from paperdigest.types import Listing, Reason, StoredPaper, Unmodified, Validators

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from paperdigest.http import HttpClient
    from paperdigest.query import Keyword

__all__ = [
    "AsyncBeforeFinal",
    "AsyncLane",
    "AsyncMailer",
    "BeforeFinal",
    "CheckableMailer",
    "Encoder",
    "FetchRequest",
    "Lane",
    "Mailer",
    "OutgoingMessage",
    "ParseContext",
    "Scorer",
    "Source",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseContext:
    """What a parser may know besides the bytes; it has no clock and no network of its own.

    ``listed_on`` is the day that was asked for (None: the body must prove its own, else a date in
    ``name``, else the UTC day of ``retrieved_at``). ``name`` is the file name or URL, for messages.
    """

    source: str
    retrieved_at: datetime
    listed_on: date | None = None
    name: str = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One listing to be had: of ``day`` (None: the source's current one), at ``now`` (UTC).

    ``validators`` maps each URL we have asked before to what HTTP said of it.
    """

    now: datetime
    day: date | None = None
    validators: Mapping[str, Validators] = field(default_factory=dict)


@runtime_checkable
class Source(Protocol):
    """A configured place that listings come from. Made as ``cls(name, settings)``.

    ``kind`` is the registered name. ``authority`` orders kinds when two disagree on a paper's
    metadata: 3 the archive itself (arXiv), 2 a curated index (Hugging Face), 1 feeds, 0 copied text.

    A source may also have ``group: str``, the operator it asks: sources of one group are asked one after
    the other, so that many of them, waiting for their turn, hold up nobody else. Default: its name.
    """

    kind: ClassVar[str]
    authority: ClassVar[int]
    name: str

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        """Check ``settings`` (the source's own keys of the configuration).

        Raises:
            pydantic.ValidationError: with one error per bad key.
        """

    def parse(self, body: bytes, context: ParseContext) -> Listing:
        """Turn bytes into a listing: pure, bounded in time and memory.

        Raises:
            ParseError: for every body that is not a listing of this kind; nothing else ever leaves.
        """

    def fetch(self, client: HttpClient, request: FetchRequest) -> Listing | Unmodified:
        """Get the listing over HTTP (several requests where the source pages) and parse it.

        Raises:
            SourceError: FetchError or ParseError.
        """

    def announces_on(self, day: date) -> bool | None:
        """Say whether the source's calendar has an announcement on that day.

        False: weekend or holiday; None: the source keeps no calendar (a feed that speaks when it likes).
        """

    def has_days(self) -> bool:
        """Say whether past days can be asked for, so that missing ones can be back-filled."""


class Scorer(Protocol):
    """Scores keywords against papers; pure, deterministic, never NaN."""

    name: ClassVar[str]

    def score(self, keywords: Sequence[Keyword], papers: Sequence[StoredPaper]) -> NDArray[np.float64]:
        """Return raw scores >= 0, shape (len(keywords), len(papers)); 0 means no match."""

    def explain(self, keyword: Keyword, paper: StoredPaper) -> tuple[Reason, ...]:
        """Return the reasons whose contributions add up to that keyword's raw score of that paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """One message for one recipient: the envelope (RFC 5321) and the bytes (RFC 5322, CRLF only).

    ``sender`` is the envelope sender, where bounces go. ``needs_smtputf8`` says that an address or a header is
    not ASCII, so that only a server with SMTPUTF8 (RFC 6531) can take it. ``has_safe_lines`` is its writer's word that
    every line ends in CR LF, none begins with a dot, there is no NUL, and unless ``needs_smtputf8`` all is ASCII: a
    mailer need not look again.
    """

    sender: str
    recipient: str
    message_id: str
    content: bytes
    needs_smtputf8: bool = False
    has_safe_lines: bool = False


BeforeFinal = Callable[[], bool]
"""Called when all of a message but its last octets has been handed over: writes down that it may have arrived from here
on. False: somebody else has taken the delivery over, or it is not wanted any more; then it must not be finished."""


AsyncBeforeFinal = Callable[[], Coroutine[Any, Any, bool]]
"""As `BeforeFinal`, to be awaited."""


class Lane(Protocol):
    """One connection of a mailer, for the use of one thread; a context manager that closes it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        """Deliver one message and return the receiver's answer, for the ledger.

        Sending the same message (same Message-ID) again must be harmless wherever the medium allows. May be
        called again after any MailError: whatever a lane needs for the next message it makes itself.

        Args:
            message: what to deliver.
            before_final: to be called exactly once, right before the message can be accepted.

        Returns:
            The answer; None when ``before_final`` said no, and then nothing was delivered.

        Raises:
            MailError: not accepted; its fields say what that means.
        """


class Mailer(Protocol):
    """Hands messages to whoever delivers them. Made as ``cls(settings)``; holds no connection of its own.

    ``lanes`` is how many connections are worth having at once (1 where order or a file decides).
    """

    lanes: int

    def lane(self) -> Lane:
        """Return a new lane; nothing is connected before it is entered or used."""


@runtime_checkable
class CheckableMailer(Mailer, Protocol):
    """A mailer that can find out, before there is a message, whether it could hand one over."""

    def check(self) -> None:
        """Look, and send nothing.

        Raises:
            MailError: it could not; says what to mend.
        """


class AsyncLane(Protocol):
    """A lane whose coroutines wait by `paperdigest.waiting`, so that many share one thread; else as `Lane`."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def send(self, message: OutgoingMessage, before_final: AsyncBeforeFinal) -> str | None:
        """As `Lane.send`."""


@runtime_checkable
class AsyncMailer(Mailer, Protocol):
    """A mailer that has lanes of both kinds."""

    def async_lane(self) -> AsyncLane:
        """Return a new lane; nothing is connected before it is entered or used."""


class Encoder(Protocol):
    """Turns texts into vectors; deterministic, and the same for a text in whatever company it comes."""

    name: str
    """Names model, weights and precision: vectors under different names are never compared."""

    dimensions: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector a text, shape (len(texts), dimensions), of length 1; never NaN.

        A text without any word has the zero vector, which is near to nothing.
        """
