"""Ranking, previewing and sending digests, with everything they need made from the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import inf
from threading import Event
from typing import Any

from paperdigest.app import plugging
from paperdigest.app.bounces import bounces_of
from paperdigest.app.checking import told_together
from paperdigest.app.letters import Letters
from paperdigest.app.previewing import Preview, obstacles, quiet_sentences
from paperdigest.app.ranking import Rankings
from paperdigest.config import Settings
from paperdigest.errors import MailError
from paperdigest.logs import masked
from paperdigest.pipeline import delivering, planning
from paperdigest.pipeline.composing import Composer
from paperdigest.ranking.explaining import Explanation
from paperdigest.refusals import Blame
from paperdigest.schedule import parse_zone
from paperdigest.store import Store
from paperdigest.store.bounces import Bounces
from paperdigest.store.digests import Digests
from paperdigest.store.ledger import Ledger
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import BounceKind, Delivery, Digest, OnEmpty, RankRequest, StoredPaper

__all__ = ["SendReport", "Sending"]

ATTEMPTS_KEPT = timedelta(days=90)
"""For so long it is known why a delivery that is settled took several attempts."""

_STATES = ("planned", "sent", "deferred", "failed", "expired", "skipped", "in_doubt", "excluded")
_MORE = ("notes", "taken_over", "waiting", "queued", "later", "held", "slowed")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReport:
    """What one ``send`` did: digests planned, deliveries by outcome, and why subscribers got none.

    ``notes`` of the planned ones only say why there is nothing; ``taken_over`` are earlier digests that still waited
    and whose papers the planned ones have; ``later`` are those that wait for a later run; ``slowed`` counts how often
    servers asked for patience; ``per_s`` is how many a second were sent.
    """

    planned: int
    sent: int
    deferred: int
    failed: int
    expired: int
    skipped: int
    in_doubt: int
    excluded: int
    waiting: int = 0
    queued: int = 0
    later: int = 0
    held: int = 0
    notes: int = 0
    taken_over: int = 0
    slowed: int = 0
    per_s: float = 0.0
    reasons: tuple[tuple[str, int], ...] = ()
    problems: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """Return how many digests were planned, came into which state, or were not planned."""
        return {state: getattr(self, state) for state in _STATES}

    def fields(self) -> dict[str, Any]:
        """Return the JSON fields (fixed: other programs rely on them)."""
        more = {name: getattr(self, name) for name in _MORE}
        problems = [masked(problem) for problem in self.problems]
        told = {"per_s": round(self.per_s, 1), "reasons": dict(self.reasons), "problems": problems}
        return {**self.counts(), **more, **told}

    def sentences(self) -> list[str]:
        """Say it in words."""
        lines = [self._summary()]
        lines += [f"{count} without a digest: {reason}" for reason, count in self.reasons]
        lines += [f"{self.queued} more would be tried: planned or deferred by an earlier run"] if self.queued else []
        if self.waiting:
            lines.append(f"{self.waiting} not due: their hour has not come, or today's digest is made already")
        if self.later:
            lines.append(f"{self.later} left to a later run; for what they wait, and until when: paperdigest outbox")
        if self.taken_over:
            these = "1 that" if self.taken_over == 1 else f"{self.taken_over} that"
            lines.append(
                f"{these} still waited taken over: the papers are ranked with the new ones, the best come first"
            )
        if self.slowed:
            times = "once" if self.slowed == 1 else f"{self.slowed} times"
            lines.append(f"servers asked for patience {times}: mail to them goes more slowly, or later")
        if self.held:
            lines.append(f"{self.held} held by another run, or by one that died, for five minutes at most")
        return lines

    def _summary(self) -> str:
        notes = f" ({self.notes} only to say why there is nothing)" * bool(self.notes)
        speed = f" ({self.per_s:,.0f} a second)" * (self.per_s >= 1)
        counts = self.counts()
        others = "".join(f", {counts[state]} {state.replace('_', ' ')}" for state in _STATES[2:7] if counts[state])
        return f"{self.planned} planned{notes}, {self.sent} sent{speed}{others}"


class Sending:
    """Plans, renders and delivers digests."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], datetime], rankings: Rankings) -> None:
        self._settings, self._store, self._clock, self._rankings = settings, store, clock, rankings
        self._subscribers = Subscribers(store.database)
        self._digests = Digests(store.database)
        self._is_checked = False

    def preview(self, email: str) -> Preview:
        """Compose what a subscriber would get now, the note of a quiet day included; nothing is stored.

        Raises:
            NotFoundError: no such subscriber.
        """
        now = self._clock()
        request, papers = self._request(email)
        ranker = self._rankings.ranker(papers)
        ranking = ranker.rank(request)
        digest = self._composer.digest(request, ranking, now)
        quiet: tuple[str, ...] = ()
        if not digest.ranked and not digest.revised:
            calendars = self._terms.calendars
            quiet = quiet_sentences(self._store, ranker, papers, calendars, (request, ranking), now)
        who = request.subscriber
        stopped = self._bounces.suppressions.standing(now).get(who.id)
        return Preview(
            digest=replace(digest, quiet=quiet if who.on_empty is OnEmpty.NOTE else ()),
            quiet=quiet,
            obstacles=obstacles(self._store, who, request.edition, stopped, is_quiet=bool(quiet)),
        )

    def why(self, email: str, paper: StoredPaper) -> Explanation:
        """Say what becomes of a paper in the digest a subscriber would get now.

        Raises:
            NotFoundError: no such subscriber.
        """
        request, papers = self._request(email)
        return self._rankings.why(request, papers, paper)

    def _request(self, email: str) -> tuple[RankRequest, tuple[StoredPaper, ...]]:
        """Return what is to be ranked for a subscriber now, and out of which papers."""
        now = self._clock()
        subscriber = self._subscribers.get(email)
        today = now.astimezone(parse_zone(subscriber.schedule.tz)).date()
        papers = planning.news(self._store, self._composer.since(subscriber, today, now), now)
        instead = self._composer.instead({subscriber.id: today})
        return self._composer.requests([(subscriber, today)], papers, now, instead)[0], papers

    def last_digest(self, email: str) -> Digest | None:
        """Return the newest frozen digest of a subscriber.

        Raises:
            NotFoundError: no such subscriber.
        """
        return self._digests.latest(self._subscribers.get(email).id)

    def rendered(self, digest: Digest, form: str) -> bytes:
        """Return a digest as ``html``, ``text`` or ``eml``, as a preview: with what only the operator is told.

        Raises:
            RenderError: a template is broken.
        """
        if form == "eml":
            return self._letters.content(digest, self._letters.message_id(digest, digest.id), preview=True)
        drawn = self._letters.drawn(digest, preview=True)
        return (drawn.html_page if form == "html" else drawn.text_page).encode("utf-8")

    def send(self, *, dry_run: bool = False, stop: Event | None = None, at_most_s: float = inf) -> SendReport:
        """Plan what is due and deliver what is waiting.

        Args:
            dry_run: count only.
            stop: when set, what is ranked is planned, mails in flight are finished, and the rest is left to the next
                run.
            at_most_s: for how long to deliver, in seconds; what is left then goes with the next run.

        Raises:
            PluginError, ConfigError: the mailer cannot be made; nothing is planned then.
            RenderError: a template is broken for every digest; nothing is planned then. Where nobody is due and nothing
                waits, nobody looks: it takes four times as long as all the rest of such a run.
        """
        with told_together(self._settings):
            mailer = None if dry_run else plugging.make_mailer(self._settings)
        in_doubt, expired = (0, 0) if dry_run else self._settle_the_past()
        planned = self._plan(dry_run=dry_run, stop=stop)
        delivered = delivering.DeliveryReport()
        waiting = Ledger(self._store.database).waiting(self._clock())
        if mailer is not None:
            if waiting:
                self._check_letters()
            delivered = delivering.deliver(
                self._store,
                mailer,
                self._letters.begin,
                clock=self._clock,
                terms=self._delivery_terms,
                stop=stop,
                at_most_s=at_most_s,
            )
            Ledger(self._store.database).prune(self._clock() - ATTEMPTS_KEPT)
        counts = Ledger(self._store.database).counts()
        return SendReport(
            planned=planned.planned,
            sent=delivered.sent,
            deferred=delivered.deferred,
            failed=delivered.failed,
            expired=expired + delivered.expired,
            skipped=delivered.skipped,
            in_doubt=in_doubt + delivered.in_doubt,
            excluded=planned.excluded.total(),
            waiting=planned.waiting,
            queued=waiting if dry_run else 0,
            later=0 if dry_run else counts["planned"] + counts["deferred"],
            held=counts["leased"] + counts["sending"],
            notes=planned.notes,
            taken_over=planned.taken_over,
            slowed=delivered.slowed,
            per_s=delivered.per_s,
            reasons=tuple(sorted(planned.excluded.items())),
            problems=(*self._rankings.problems, *planned.problems, *delivered.problems),
        )

    def _plan(self, *, dry_run: bool, stop: Event | None) -> planning.PlanReport:
        return planning.plan(
            self._store,
            self._prepared,
            self._letters.message_id,
            self._terms,
            now=self._clock(),
            dry_run=dry_run,
            stop=stop.is_set if stop is not None else lambda: False,
        )

    def _settle_the_past(self) -> tuple[int, int]:
        """Take back what dead runs left, for today's editions to take over; how many are in doubt, and expired."""
        ledger, now, policy = Ledger(self._store.database), self._clock(), self._settings.mail.on_in_doubt
        recovered = ledger.recover(now, on_in_doubt=policy, wait=delivering.backoff)
        return recovered.in_doubt, ledger.expire(now)

    @cached_property
    def _terms(self) -> planning.Terms:
        return planning.Terms(
            queue=timedelta(days=self._settings.ranking.queue_days),
            expires_after=timedelta(hours=self._settings.mail.expires_after_h),
            calendars={
                one.source.name: one.source.announces_on for one in plugging.configured_sources(self._settings, ())
            },
        )

    @property
    def _delivery_terms(self) -> delivering.DeliveryTerms:
        mail = self._settings.mail
        return delivering.DeliveryTerms(
            on_in_doubt=mail.on_in_doubt,
            max_per_s=mail.max_per_s,
            max_per_domain_per_s=mail.max_per_domain_per_s,
            on_refused=self._refused,
        )

    def _refused(self, delivery: Delivery, whose: Blame, error: MailError, now: datetime) -> None:
        """Let a refusal for good have the consequences of a bounce: for a mailbox, or an alarm when it is about us."""
        kind = BounceKind(whose.value)
        self._bounces.record(delivery.id, kind, status=error.status, detail=str(error), now=now)

    @cached_property
    def _bounces(self) -> Bounces:
        return bounces_of(self._settings, self._store)

    @property
    def _composer(self) -> Composer:
        return Composer(self._store, self._terms.queue, self._terms.expires_after)

    @cached_property
    def _letters(self) -> Letters:
        return Letters(self._settings)

    def _check_letters(self) -> None:
        """Find a broken template, key or setting before a real digest needs it; once is enough."""
        if not self._is_checked:
            with told_together(self._settings):
                self._letters.check()
            self._is_checked = True

    def _prepared(self, papers: Sequence[StoredPaper]) -> planning.RankAll:
        """Prepare for those who are due."""
        self._check_letters()
        return self._rankings.ranker(papers).rank_all
