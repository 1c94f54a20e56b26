"""The address of a paper's code, found in its abstract or in what its authors remark."""

from __future__ import annotations

import re

from paperdigest.render.words import clean, http_url

__all__ = ["code_url_in"]

_HOSTS = (
    *("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "git.sr.ht", "huggingface.co", "zenodo.org"),
    *("figshare.com", "osf.io", "anonymous.4open.science"),
)
"""Where code, models and data of papers lie. Other addresses are links like any other: nobody knows what is there."""

# The address ends where a sentence or a bracket would: "(https://github.com/a/b)." is no part of it.
_ADDRESS = re.compile(
    rf"(?<![\w.@/-])(?:https?://)?(?:www\.)?(?:[a-z0-9-]+\.)?(?:{'|'.join(map(re.escape, _HOSTS))})"
    r"/[^\s<>\"'`(){}\[\]|\\^,;]*[^\s<>\"'`(){}\[\]|\\^,;.:!?*]",
    re.IGNORECASE,
)


def code_url_in(*texts: str | None) -> str | None:
    """Return the first address of a place for code in the texts, https if it has no scheme; None if there is none.

    Of a text of megabytes only the beginning is read.
    """
    for text in texts:
        read = clean(text) if text else ""
        folded = read.lower()
        if not any(host in folded for host in _HOSTS):  # seen a hundred times as fast as by the pattern
            continue
        for found in _ADDRESS.finditer(read):
            address = found[0]
            url = address if address.lower().startswith(("http://", "https://")) else f"https://{address}"
            if (checked := http_url(url)) is not None:
                return checked
    return None
