"""From a frozen digest to the message that leaves: drawn, linked, addressed and signed as the settings say.

Pure once made: the same digest and delivery give the same bytes, in whatever process, so that a resend is a true copy.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from email.utils import parseaddr
from functools import cached_property

from paperdigest.app import storage
from paperdigest.app.signing import signer_of
from paperdigest.bounces.addresses import bounce_address, unsubscribe_address
from paperdigest.config import Settings
from paperdigest.errors import ConfigError, MailError, Problem
from paperdigest.libraries.writing import as_bibtex
from paperdigest.mail.dkim import Signer
from paperdigest.mail.lists import ListHeaders, feedback_id
from paperdigest.mail.message import Attachment, Mailbox, begin_message
from paperdigest.protocols import OutgoingMessage
from paperdigest.render import Links, Rendered, Renderer
from paperdigest.render.samples import SAMPLES
from paperdigest.tokens import Purpose, Tokens
from paperdigest.types import Delivery, Digest

__all__ = ["Letters"]


class Letters:
    """Makes messages. Every method may raise RenderError (a template is broken) and MailError (not sendable)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        digest = settings.digest
        self.renderer = Renderer(
            title=digest.title,
            templates=settings.file(digest.templates, "") if digest.templates else None,
            postal_address=digest.postal_address,
        )

    def check(self) -> None:
        """Find a broken template, key or setting before a real digest needs it.

        Raises:
            RenderError, ConfigError: in words.
        """
        own = self._settings.digest.templates
        if own and not self._settings.file(own, "").is_dir():
            problem = Problem("digest.templates", f"{self._settings.file(own, '')} is no folder")
            raise ConfigError(str(self._settings.path or "settings"), (problem,))
        self.renderer.check()
        try:
            self.sample()
        except MailError as error:
            path = str(self._settings.path or "settings")
            raise ConfigError(
                path, (Problem("mail", f"no message can be made with these settings: {error}"),)
            ) from error

    def message_id(self, digest: Digest, number: int) -> str:
        """Return the Message-ID of a digest: the same at every attempt, and not to be guessed (RFC 5322, 3.6.4)."""
        secret = f"message-id:{digest.subscriber.id}:{number}".encode()
        proof = hmac.new(self._key, secret, hashlib.sha256).hexdigest()[:20]
        return f"<{digest.edition:%Y%m%d}.{number}.{proof}@{self._domain}>"

    def drawn(self, digest: Digest, *, preview: bool = False) -> Rendered:
        """Return subject, HTML and text of a digest with the links of its recipient."""
        return self.renderer.digest(digest, links=self.links(digest), preview=preview)

    def links(self, digest: Digest) -> Links:
        """Return where a digest leads back to: nowhere without a ``base_url`` and a domain that takes mail."""
        base, domain = self._settings.web.base_url, self._settings.mail.bounces.domain
        who, which = digest.subscriber.id, digest.id
        by_mail = unsubscribe_address(self.tokens, who, domain) if domain else None
        if not base:
            return Links(unsubscribe_mailto=by_mail)
        return Links(
            unsubscribe_mailto=by_mail,
            unsubscribe=f"{base}/u/{self.tokens.sign(Purpose.UNSUBSCRIBE, who)}",
            manage=f"{base}/m/{self.tokens.sign(Purpose.MANAGE, who)}",
            read=f"{base}/d/{self.tokens.sign(Purpose.READ, which)}",
        )

    def begin(self, digest: Digest, delivery: Delivery) -> Callable[[], OutgoingMessage]:
        """Write the message of a delivery but for its signature; who is returned signs it, in any thread."""
        domain = self._settings.mail.bounces.domain
        sender = bounce_address(self.tokens, delivery.id, domain) if domain else self._from.address
        finish = self._begin(digest, delivery.message_id)
        return lambda: OutgoingMessage(
            sender=sender,
            recipient=digest.subscriber.email,
            message_id=delivery.message_id,
            content=finish(),
            needs_smtputf8=not digest.subscriber.email.isascii(),
            has_safe_lines=True,
        )

    def content(self, digest: Digest, message_id: str, *, preview: bool = False) -> bytes:
        """Return the bytes of a digest's message."""
        return self._begin(digest, message_id, preview=preview)()

    def _begin(self, digest: Digest, message_id: str, *, preview: bool = False) -> Callable[[], bytes]:
        links = self.links(digest)
        drawn = self.renderer.digest(digest, links=links, preview=preview)
        list_headers = ListHeaders(
            unsubscribe_url=links.unsubscribe, unsubscribe_mailto=links.unsubscribe_mailto, feedback=self._feedback
        )
        return begin_message(
            sender=self._from,
            recipient=Mailbox(digest.subscriber.email, digest.subscriber.name),
            subject=drawn.subject,
            html=drawn.html,
            text=drawn.text,
            sent_at=digest.composed_at,
            message_id=message_id,
            list_id=f"paperdigest.{self._domain}",
            list_name=self._settings.digest.title,
            headers=list_headers.fields(),
            attachments=_attachments(digest),
            signer=self._signer,
        )

    def sample(self) -> tuple[bytes, Links]:
        """Return a message of a made-up digest, and its links, whose tokens name nobody."""
        digest = replace(SAMPLES[0], id=0, subscriber=replace(SAMPLES[0].subscriber, id=0))
        return self.content(digest, self.message_id(digest, 0)), self.links(digest)

    @cached_property
    def _signer(self) -> Signer | None:
        return signer_of(self._settings)

    @cached_property
    def _feedback(self) -> str:
        return feedback_id("digest", sender=self._domain)

    @cached_property
    def _key(self) -> bytes:
        return storage.secret_key(self._settings)

    @cached_property
    def tokens(self) -> Tokens:
        """What signs the links of mails.

        Raises:
            ConfigError: a key is no key.
        """
        return storage.tokens(self._settings)

    @cached_property
    def _from(self) -> Mailbox:
        name, address = parseaddr(self._settings.mail.from_)
        return Mailbox(address, name or None)

    @cached_property
    def _domain(self) -> str:
        return self._from.address.rpartition("@")[2]


def _attachments(digest: Digest) -> tuple[Attachment, ...]:
    """Return the digest's papers as a BibTeX file, for a subscriber who wants it."""
    papers = [one.stored.paper for one in digest.ranked]
    if not digest.subscriber.attach_bibtex or not papers:
        return ()
    return (Attachment(name="papers.bib", media_type="text/x-bibtex", text=as_bibtex(papers)),)
