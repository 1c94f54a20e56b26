"""The tables of the settings that say how digests leave."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator

from paperdigest.config.table import Table

__all__ = ["BounceSettings", "DkimSettings", "MailSettings", "MaildirSettings", "SendmailSettings", "SmtpSettings"]

_DOMAIN_OR_NONE = r"^(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?)?$"


class MaildirSettings(Table):
    """Digests as files in a Maildir."""

    path: str = ""


class SmtpSettings(Table):
    """A mail server that relays our mail."""

    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password_file: str = ""
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60
    answer_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 600
    ca_file: str = ""
    auth: Literal["auto", "plain", "login", "xoauth2"] = "auto"
    token_file: str = ""
    connections: Annotated[int, Field(ge=1, le=128)] = 8
    max_messages_per_connection: Annotated[int, Field(ge=1, le=100_000)] = 100


class SendmailSettings(Table):
    """A mail program of this machine."""

    path: str = "/usr/sbin/sendmail"


class DkimSettings(Table):
    """How messages are signed; without a key file they are not."""

    domain: Annotated[str, Field(pattern=_DOMAIN_OR_NONE)] = ""
    selector: Annotated[str, Field(pattern=_DOMAIN_OR_NONE)] = ""
    key_file: str = ""
    ed25519_selector: Annotated[str, Field(pattern=_DOMAIN_OR_NONE)] = ""
    ed25519_key_file: str = ""


class BounceSettings(Table):
    """Where bounces arrive: in the domain that takes them, read from a Maildir or by IMAP."""

    domain: Annotated[str, Field(pattern=_DOMAIN_OR_NONE)] = ""
    maildir: str = ""
    imap_host: str = ""
    imap_port: Annotated[int, Field(ge=1, le=65535)] = 993
    imap_user: str = ""
    imap_password_file: str = ""
    imap_folder: str = "INBOX"


class MailSettings(Table):
    """How digests leave."""

    mailer: str = "maildir"
    from_: Annotated[str, Field(alias="from")] = "paperdigest <paperdigest@localhost>"
    expires_after_h: Annotated[float, Field(gt=0, le=24 * 14)] = 36
    on_in_doubt: Literal["resend", "hold", "assume_sent"] = "resend"
    max_per_s: Annotated[float, Field(ge=0, le=100_000)] = 0
    max_per_domain_per_s: Annotated[float, Field(ge=0, le=100_000)] = 0
    secret_key_file: str = ""
    previous_key_files: tuple[str, ...] = ()
    maildir: MaildirSettings = MaildirSettings()
    smtp: SmtpSettings = SmtpSettings()
    sendmail: SendmailSettings = SendmailSettings()
    dkim: DkimSettings = DkimSettings()
    bounces: BounceSettings = BounceSettings()
    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    @field_validator("from_")
    @classmethod
    def _one_address(cls, value: str) -> str:
        address = parseaddr(value)[1]
        if "@" not in address or not address.isascii() or not value.isprintable():
            raise ValueError("write one address: Name <name@example.org> (a domain with accents as its xn-- form)")
        return value

    @classmethod
    def own_keys(cls) -> frozenset[str]:
        """Return the keys of the table as they are written; beyond them there is only the table of a mailer's own."""
        return frozenset(field.alias or name for name, field in cls.model_fields.items())
