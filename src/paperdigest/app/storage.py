"""Where the application keeps things: database, Maildir, key."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from paperdigest.config import Settings, data_dir
from paperdigest.errors import ConfigError, Problem
from paperdigest.store import Upgraded, upgrade
from paperdigest.tokens import Tokens

__all__ = ["ensure_secret_key", "previous_keys", "secret_key", "secret_key_path", "tokens", "upgrade_store"]

KEY_BYTES = 32
LEAST_KEY = KEY_BYTES // 2
"""So many characters make a key, at the least."""

ENVIRONMENT = "PAPERDIGEST_SECRET_KEY"
FILE = "secret.key"


def upgrade_store(settings: Settings) -> Upgraded:
    """Bring the configured database to this version's schema, after a backup.

    Raises:
        StoreError: in words; the database is as it was.
    """
    return upgrade(settings.store_url())


def secret_key_path(settings: Settings) -> Path:
    """Return the file of the key that signs links and message ids."""
    return settings.file(settings.mail.secret_key_file, FILE)


def secret_key(settings: Settings) -> bytes:
    """Return the key that signs message ids, made on first use when no other one is configured.

    Raises:
        ConfigError: the configured file cannot be read, or a new one cannot be written.
    """
    ensure_secret_key(settings)
    found = settings.secret(ENVIRONMENT, str(secret_key_path(settings)), key="mail.secret_key_file")
    if found is None or len(found.get_secret_value()) < LEAST_KEY:
        raise ConfigError(str(settings.path or "settings"), (Problem("mail.secret_key_file", "holds no usable key"),))
    return found.get_secret_value().encode()


def previous_keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the keys of earlier days, whose links in old mails still work; the newest first.

    Raises:
        ConfigError: one of them cannot be read.
    """
    key, files = "mail.previous_key_files", settings.mail.previous_key_files
    found = (settings.secret("", name, key=f"{key}[{index}]") for index, name in enumerate(files))
    return tuple(one.get_secret_value().encode() for one in found if one is not None)


def tokens(settings: Settings) -> Tokens:
    """Return what signs and reads the links of mails.

    Raises:
        ConfigError: a key cannot be read, or is too short to be one.
    """
    try:
        return Tokens((secret_key(settings), *previous_keys(settings)))
    except ValueError as error:
        problem = Problem("mail.previous_key_files", f"one of them holds no usable key: {error}")
        raise ConfigError(str(settings.path or "settings"), (problem,)) from error


def ensure_secret_key(settings: Settings, environment: Mapping[str, str] = os.environ) -> None:
    """Write a fresh random key unless there is one; the file is its owner's alone.

    Raises:
        ConfigError: it cannot be written.
    """
    path = secret_key_path(settings)
    if environment.get(ENVIRONMENT) or path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written whole (mode 0600) and then linked: a crash leaves no empty key, and of two processes that start
        # at once one gives its key the name, and both then read the same.
        with tempfile.NamedTemporaryFile("w", encoding="ascii", dir=path.parent, prefix=f".{path.name}.") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(file.name, path)
    except OSError as error:
        problem = Problem("mail.secret_key_file", f"{path} cannot be written: {error.strerror}")
        raise ConfigError(str(settings.path or data_dir()), (problem,)) from error
