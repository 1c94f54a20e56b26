"""Teaching by likes: judgements of stored papers, and topics seeded with examples."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from paperdigest.errors import NotFoundError, UsageError
from paperdigest.identity import arxiv_id, doi_id, fold, url_id
from paperdigest.libraries import Example, read_library
from paperdigest.libraries.reading import MAX_BYTES
from paperdigest.query import parse_query
from paperdigest.store import Store
from paperdigest.store.judgements import Judgements
from paperdigest.types import Judgement, PaperId, StoredPaper, Subscriber, Topic

__all__ = ["Feedback", "Seeded", "Seeds"]

EXAMPLE = "example"
MAX_OWN_PAPERS = 200
"""An author's papers that are taken as examples; whoever has more is served by the first found."""

_SHOWN = 3
_NAME = re.compile(r"\w[\w .-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """What topics are to be seeded with, each as ``WHAT`` or ``TOPIC=WHAT``."""

    likes: tuple[str, ...] = ()
    dislikes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.likes or self.dislikes or self.files or self.authors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What came of seeds: judgements that are not stored yet, and what there is to say of files and authors."""

    judgements: tuple[Judgement, ...] = ()
    notes: tuple[str, ...] = ()


class Feedback:
    """What subscribers say of papers. Every method may raise StoreError."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock
        self._judgements = Judgements(store.database)

    def of(self, subscriber: Subscriber) -> tuple[Judgement, ...]:
        """Return what a subscriber said, the newest first."""
        return self._judgements.of([subscriber.id])[subscriber.id][::-1]

    def judge(
        self, subscriber: Subscriber, papers: Sequence[str], *, liked: bool, topic: str | None = None
    ) -> tuple[Judgement, ...]:
        """Store a like or dislike of each paper, all or none; what was said of a paper before is replaced.

        Args:
            subscriber: who says so.
            papers: see `find`.
            liked: a like; otherwise a dislike.
            topic: the topic's name; None means all of the subscriber's topics.

        Raises:
            NotFoundError: a paper is not stored.
            UsageError: a paper is not named clearly, or there is no such topic.
        """
        self._check_topic(subscriber, topic)
        said = tuple(self._judgement(self.find(text), liked=liked, topic=topic) for text in papers)
        self._judgements.add(subscriber.id, said)
        return said

    def withdraw(
        self, subscriber: Subscriber, papers: Sequence[str], *, liked: bool, topic: str | None = None
    ) -> tuple[Judgement, ...]:
        """Forget the likes (or dislikes) of these papers, for one topic or (None) wherever they were said.

        Raises:
            NotFoundError: nothing of the kind was said of a paper; then nothing is forgotten.
        """
        candidates = [one for one in self.of(subscriber) if one.liked is liked and topic in (None, one.topic)]
        gone: list[Judgement] = []
        for text in papers:
            found = [one for one in candidates if self._means(text, one)]
            if not found:
                kind = "like" if liked else "dislike"
                raise NotFoundError(kind, text, f"See `paperdigest subscriber show {subscriber.email}`")
            gone.extend(one for one in found if one not in gone)
        for one in gone:
            self._judgements.remove(subscriber.id, str(one.paper_id), one.topic)
        return tuple(gone)

    def seeded(self, topics: Sequence[Topic], seeds: Seeds) -> Seeded:
        """Read what topics are seeded with; nothing is stored, so that a mistake leaves everything as it was.

        Raises:
            NotFoundError: a paper or author is not stored.
            UsageError: a file cannot be read; several topics, and none is named.
            ParseError: a file is no collection of references.
        """
        said: list[Judgement] = []
        notes: list[str] = []
        for liked, texts in ((True, seeds.likes), (False, seeds.dislikes)):
            for topic, text in (_addressed(topics, text) for text in texts):
                said.append(self._judgement(self.find(text), liked=liked, topic=topic, origin=EXAMPLE))
        for topic, name in (_addressed(topics, text) for text in seeds.files):
            library = read_library(_read(name), name)
            notes += [f"{name}: {len(library.examples)} examples ({library.kind})"]
            notes += [f"{name}: {sentence}" for sentence in library.sentences()]
            said += [self._example(example, topic) for example in library.examples]
        for topic, name in (_addressed(topics, text) for text in seeds.authors):
            own = self._papers_of(name)
            notes.append(f"{name}: {len(own)} stored papers")
            said += [self._judgement(stored, liked=True, topic=topic, origin=EXAMPLE) for stored in own]
        return Seeded(judgements=tuple(said), notes=tuple(notes))

    def add(self, subscriber: Subscriber, judgements: Sequence[Judgement]) -> int:
        """Store judgements made by `seeded`; return how many are new."""
        return self._judgements.add(subscriber.id, judgements) if judgements else 0

    def follow(self, before: Subscriber, after: Subscriber) -> tuple[str, ...]:
        """Take what was judged for a subscriber's only topic along when it gets another name.

        Returns:
            The names for which something was judged and that no topic has now: that teaches nothing.
        """
        if len(before.topics) == len(after.topics) == 1:
            old, new = before.topics[0].name, after.topics[0].name
            moved = [replace(one, topic=new) for one in self.of(after) if one.topic == old != new]
            for one in moved:
                self._judgements.remove(after.id, str(one.paper_id), old)
            self._judgements.add(after.id, moved)
        names = {topic.name for topic in after.topics}
        return tuple(sorted({one.topic for one in self.of(after) if one.topic and one.topic not in names}))

    def find(self, text: str) -> StoredPaper:
        """Return the stored paper that is meant: by identifier, by web address, or by a piece of its title.

        Raises:
            NotFoundError: it is not stored; says how to get it.
            UsageError: several titles have this piece.
        """
        known = _identifier(text)
        if known is not None:
            try:
                return self._store.paper(known)
            except NotFoundError:
                raise NotFoundError("paper", str(known), _how_to_get(known)) from None
        piece = fold(text)
        words = " ".join(piece.split())
        found = self._store.search(parse_query(f'"{words}"'), 50).papers if words else ()
        titled = [stored for stored in found if piece in fold(stored.paper.title)]
        whole = [stored for stored in titled if piece == fold(stored.paper.title)]
        if len(whole or titled) == 1:
            return (whole or titled)[0]
        if not titled:
            hint = "Name it by its identifier, e.g. arxiv:2305.17490, or look for it with `paperdigest papers WORDS`"
            raise NotFoundError("paper", text, hint)
        some = "; ".join(f"{stored.paper.id} {stored.paper.title}" for stored in titled[:_SHOWN])
        raise UsageError(f"{len(titled)} stored papers are titled like {text!r}", f"Name one by its identifier: {some}")

    def _papers_of(self, author: str) -> tuple[StoredPaper, ...]:
        name = " ".join(author.replace('"', " ").split())
        found = self._store.search(parse_query(f'author:"{name}"'), MAX_OWN_PAPERS).papers
        if not found:
            raise NotFoundError("paper by", author, "Fetch some first, or give a bibliography with --examples FILE")
        return found

    def _judgement(self, stored: StoredPaper, *, liked: bool, topic: str | None, origin: str = "reader") -> Judgement:
        paper = stored.paper
        return Judgement(
            paper_id=paper.id,
            title=paper.title,
            abstract=paper.abstract,
            liked=liked,
            judged_at=self._clock(),
            topic=topic,
            origin=origin,
        )

    def _example(self, example: Example, topic: str | None) -> Judgement:
        """Take an example as a like, with the stored text where the collection has no abstract."""
        said = Judgement(
            paper_id=example.paper_id,
            title=example.title,
            abstract=example.abstract,
            liked=True,
            judged_at=self._clock(),
            topic=topic,
            origin=EXAMPLE,
        )
        if example.abstract:
            return said
        try:
            paper = self._store.paper(example.paper_id).paper
        except NotFoundError:
            return said
        return replace(said, abstract=paper.abstract)

    def _means(self, text: str, judgement: Judgement) -> bool:
        """Say whether a text names the paper of a judgement: by identifier, or by a piece of its title."""
        known = _identifier(text)
        if known is None:
            return bool(fold(text)) and fold(text) in fold(judgement.title)
        if known == judgement.paper_id:
            return True
        try:
            return self._store.paper(known).paper.id == judgement.paper_id
        except NotFoundError:
            return False

    @staticmethod
    def _check_topic(subscriber: Subscriber, topic: str | None) -> None:
        names = [one.name for one in subscriber.topics]
        if topic is not None and topic not in names:
            raise UsageError(f"{subscriber.email} has no topic {topic!r}", f"Topics: {', '.join(names) or 'none'}")


def _identifier(text: str) -> PaperId | None:
    """Read an identifier in any usual form; None when the text is words."""
    text = text.strip()
    if (known := arxiv_id(text) or doi_id(text) or url_id(text)) is not None:
        return known
    scheme, colon, local = text.partition(":")
    if colon and scheme in ("arxiv", "doi", "url", "title") and local and not any(char.isspace() for char in local):
        return PaperId(scheme=scheme, local=local)
    return None


def _how_to_get(known: PaperId) -> str:
    if known.scheme == "arxiv":
        address = f"https://export.arxiv.org/api/query?id_list={known.local}"
        return f"Get it with `paperdigest fetch --as arxiv --from '{address}'`"
    return "Fetch a listing that has it, or give a bibliography with its abstract: --examples FILE"


def _addressed(topics: Sequence[Topic], text: str) -> tuple[str | None, str]:
    """Split ``TOPIC=WHAT``; without a topic it is the only one, or the only one that has no query.

    Raises:
        UsageError: several could be meant, or the topic is unknown.
    """
    name, sign, rest = text.partition("=")
    names = [topic.name for topic in topics]
    if sign and name.strip() in names and rest.strip():
        return name.strip(), rest.strip()
    bare = [topic.name for topic in topics if not topic.query.strip()]
    if sign and _NAME.fullmatch(name.strip()) and rest.strip() and not Path(text).exists():
        raise UsageError(f"there is no topic {name.strip()!r} for {text!r}", f"The topics are {_quoted(names)}")
    for candidates in (names, bare):
        if len(candidates) == 1:
            return candidates[0], text
    raise UsageError(f"{text!r} could be for any of {_quoted(names)}", f"Write TOPIC={text}")


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names) or "no topic"


def _read(name: str) -> bytes:
    """Read a file, of which `read_library` refuses what is too large.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with Path(name).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        hint = "Name a BibTeX, RIS or Zotero CSV file"
        raise UsageError(f"{name} cannot be read: {error.strerror or error}", hint) from error
