"""Making messages and handing them over: header writer, mailers."""

from __future__ import annotations

__all__ = ["BUILTIN"]

BUILTIN = {
    "console": "paperdigest.mail.console:ConsoleMailer",
    "maildir": "paperdigest.mail.maildir:MaildirMailer",
    "smtp": "paperdigest.mail.smtp:SmtpMailer",
}
