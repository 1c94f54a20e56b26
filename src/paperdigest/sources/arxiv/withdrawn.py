"""Does a comment or an abstract say that its paper was withdrawn? arXiv has no field for it, only words.

"This papers has been withdrawn", "paper withdrawn by author", "withdrawn by arXiv administrators due to
plagiarism" are about the paper; "coins withdrawn from an exchange", "supersedes the withdrawn paper" and
"the previous version was withdrawn" are not. In doubt the paper stands: a missed withdrawal is a
nuisance, a hidden good paper is a loss.
"""

from __future__ import annotations

import re

__all__ = ["says_withdrawn"]

_WORK = (
    r"(?:e-?print|pre-?print|paper|article|manuscript|submission|work|note|letter|draft|report|document|thesis"
    r"|contribution|version)s?(?:\s*\([^()]{0,40}\))?"
)
_HAS_BEEN = r"(?:\s+(?:has|have|is|was|were|had|been|being|now|since|hereby|temporarily|voluntarily|already))"
_GONE = (
    r"(?:withdrawn|retracted|removed\s+by\s+(?:the\s+)?arxiv)\b"
    r"(?!\s+from\b(?!\s+(?:the\s+)?(?:arxiv|e-?print|archive)\b))"
)
_THEN = r"(?=\s*(?:\Z|[.,;:!()-]|(?:by|due|because|since|as|pending|for|after|until|and|to|with|in\s+favou?r|from)\b))"
_BY = r"(?:withdrawn|retracted|removed)\s+by\s+(?:the\s+|its\s+|their\s+)?(?:arxiv|(?:\w+\s+)?authors?|submitters?)\b"
_WE = (
    r"\b(?:authors?(?:\(s\))?|we|i)(?:\s+(?:has|have|had|hereby|wish|would|like|want|to|decided|voluntarily))*"
    rf"\s+(?:withdrawn?|withdrew|withdraws?|retract(?:ed|s)?)\s+(?:this|the|our)\s+{_WORK}"
)
_THIS = (
    rf"\b(?:this|our)(?:\s+present|\s+current)?\s+{_WORK}{_HAS_BEEN}*\s+{_GONE}"
    rf"|\b(?:the|present|current)\s+{_WORK}{_HAS_BEEN}+\s+{_GONE}"
    rf"|\bthis{_HAS_BEEN}+\s+{_GONE}"
)
_SHORT = rf"(?:{_WORK}{_HAS_BEEN}*\s+)?{_GONE}{_THEN}"
_IN_COMMENT = re.compile(rf"{_THIS}|\b{_BY}|{_WE}", re.IGNORECASE)
_AT_START = re.compile(rf"\W*(?:{_THIS}|{_SHORT}|{_WE})", re.IGNORECASE)
_ANOTHER = re.compile(
    r"\b(?:previous|previously|earlier|older|old|former|original|first|initial|companion|another|part|section|appendix"
    r"|lemma|theorem|chapter|claim|version\s+\d+|versions?\s+of|v\d+|supersedes|replaces|replacement|not|if|unless)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.;!?]\s")
_COMMENT_CHARS = 2000
_ABSTRACT_CHARS = 300


def says_withdrawn(comment: str | None, abstract: str | None) -> bool:
    """Return True when ``comment`` says so in any sentence, or ``abstract`` with its first words."""
    return _comment_says(comment or "") or _abstract_says(abstract or "")


def _comment_says(comment: str) -> bool:
    text = comment[:_COMMENT_CHARS]
    return _may_say(text) and (
        _AT_START.match(text) is not None
        or any(_ANOTHER.search(_sentence_before(text, match.start())) is None for match in _IN_COMMENT.finditer(text))
    )


def _abstract_says(abstract: str) -> bool:
    head = abstract[:_ABSTRACT_CHARS]
    return _may_say(head) and _AT_START.match(head) is not None


def _may_say(text: str) -> bool:
    """Sort out nearly every text at little cost, before an expression is tried."""
    text = text.lower()
    return "withdr" in text or "retract" in text or "removed" in text


def _sentence_before(text: str, place: int) -> str:
    """Return what stands before ``place`` in its sentence."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, place)]
    return text[ends[-1] if ends else 0 : place]
