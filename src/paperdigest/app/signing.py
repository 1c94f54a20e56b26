"""What signs the mails that leave, as ``[mail.dkim]`` says: digests, and what the operator is told by mail."""

from __future__ import annotations

from email.utils import parseaddr

from paperdigest.config import Settings
from paperdigest.errors import ConfigError, MailError, Problem, UsageError
from paperdigest.mail.dkim import Signer, SigningKey
from paperdigest.mail.dkim_keys import load_key

__all__ = ["DKIM_KEYS", "signer_of", "signing_keys"]

DKIM_KEYS = (("selector", "key_file"), ("ed25519_selector", "ed25519_key_file"))
"""The settings of ``[mail.dkim]`` that name a key: under which selector, in which file. The first stands first."""


def signing_keys(settings: Settings) -> tuple[SigningKey, ...]:
    """Return the keys that sign, read from their files.

    Raises:
        ConfigError: with every key that cannot be used, under its key path.
    """
    dkim = settings.mail.dkim
    keys: list[SigningKey] = []
    problems: list[Problem] = []
    for selector, file in DKIM_KEYS:
        if not (name := getattr(dkim, file)):
            continue
        try:
            keys.append(SigningKey(selector=getattr(dkim, selector), private=load_key(settings.file(name, name))))
        except UsageError as error:
            problems.append(Problem(f"mail.dkim.{file}", str(error)))
    if problems:
        raise ConfigError(str(settings.path or "settings"), tuple(problems))
    return tuple(keys)


def signer_of(settings: Settings) -> Signer | None:
    """Return what signs mails; None without a key.

    Raises:
        ConfigError: a key, a selector or the domain cannot be used.
    """
    keys = signing_keys(settings)
    domain = settings.mail.dkim.domain or parseaddr(settings.mail.from_)[1].rpartition("@")[2]
    try:
        return Signer(domain, keys) if keys else None
    except MailError as error:
        raise ConfigError(str(settings.path or "settings"), (Problem("mail.dkim", str(error)),)) from error
