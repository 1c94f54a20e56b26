"""Making messages and handing them over: header writer, mailers."""

from __future__ import annotations

__all__ = ["BUILTIN"]

BUILTIN = {
    "console": "paperdigest.mail.console:ConsoleMailer",
    "maildir": "paperdigest.mail.maildir:MaildirMailer",
    "sendmail": "paperdigest.mail.sendmail:SendmailMailer",
    "smtp": "paperdigest.mail.smtp:SmtpMailer",
}
