"""The mails of real days, looked through for whatever may be wrong with them; and what looks through them, tried."""

from __future__ import annotations

import binascii
from pathlib import Path

import pytest

from bench._mail_lint import RULES, contrast, lint
from bench._real_digests import digests, listings
from bench.lint import ALL_LINKS, found_in
from paperdigest.render import Links, Renderer
from tests.digest_samples import digest, paper, ranked

RENDERER = Renderer(postal_address="1 Example Road, Example Town")
PAGE = '<!doctype html><html lang="en" dir="ltr"><head><title>t</title>{style}</head><body>{body}</body></html>'
WHOLE = "<h1>t</h1><p>Paper number 1</p>"
PRINTED = "Paper number 1\nhttps://arxiv.org/abs/2604.00001\nhttps://arxiv.org/pdf/2604.00001\n"


def message(body: str = WHOLE, text: str = PRINTED, *, style: str = "", head: str = "", page: str = PAGE) -> bytes:
    """A message by hand, in which nothing is wrong but what is given."""
    html = page.replace("{style}", style).replace("{body}", body)
    parts = (
        f'--b\r\nContent-Type: text/{kind}; charset="utf-8"\r\n'.encode()
        + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        + binascii.b2a_qp(content.encode()).replace(b"\n", b"\r\n")
        + b"\r\n"
        for kind, content in (("plain", text), ("html", html))
    )
    fields = (
        "From: a@b.c\r\nTo: d@e.f\r\nSubject: s\r\nDate: Wed, 15 Apr 2026 00:00:00 +0000\r\nMessage-ID: <1@b.c>\r\n"
    )
    kind = 'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    return (fields + head + kind).encode() + b"".join(parts) + b"--b--\r\n"


def broken_rules(mail: bytes, links: Links = Links()) -> set[str]:  # noqa: B008  # frozen
    return {one.rule for one in lint(mail, digest(ranked()), links)}


def test_a_sound_mail_has_no_findings() -> None:
    assert broken_rules(message()) == set()


@pytest.mark.parametrize(
    ("rule", "mail"),
    [
        ("size", message(f"{WHOLE}<p>{'x' * 95_000}</p>")),
        ("line", message().replace(b"--b\r\n", b"x" * 999 + b"\r\n--b\r\n", 1)),
        ("line", message().replace(b"--b\r\n", b"x\n--b\r\n", 1)),
        ("header", message(head=f"X-Words: {'word ' * 20}word\r\n")),
        ("header", message(head="From: g@h.i\r\n")),
        ("html", message(f"{WHOLE}<p>open</div>")),
        ("html", message(f"{WHOLE}<p>x</span></p>")),
        ("structure", message(WHOLE, page=PAGE.replace(' lang="en"', ""))),
        ("structure", message(f"{WHOLE}<h3>x</h3>")),
        ("structure", message(f"{WHOLE}<table><tbody><tr><td>x</td></tr></tbody></table>")),
        ("structure", message(f"{WHOLE}<p></p>")),
        ("link", message(f'{WHOLE}<a href="/abs/1">x</a>')),
        ("link", message(f'{WHOLE}<a href="javascript:x">x</a>')),
        ("remote", message(f'{WHOLE}<img alt="x" src="https://example.org/x.png">')),
        ("remote", message(f'{WHOLE}<p style="background: url(x)">x</p>')),
        ("tex", message(f"{WHOLE}<p>in $\\mathcal{{O}}(n^2)$ time</p>")),
        ("tex", message(text=f"{PRINTED} \\textbf{{bold}}")),
        ("markup", message(f"{WHOLE}<p>&lt;jats:p&gt;x</p>")),
        ("markup", message(text=f"{PRINTED} a &amp; b")),
        ("text", message(text="Paper number 1\nhttps://arxiv.org/abs/2604.00001")),
        ("text", message(text=PRINTED.replace("Paper number 1", ""))),
        ("width", message(text=f"{PRINTED}\n{'word ' * 20}")),
        ("contrast", message(f'{WHOLE}<p style="color: #999999">x</p>')),
        ("contrast", message(f'{WHOLE}<div style="background-color: #000000"><p>x</p></div>')),
        (
            "contrast",
            message(
                f'{WHOLE}<p class="x">x</p>',
                style="<style>@media (prefers-color-scheme: dark) { .x { background-color: #111111; } }</style>",
            ),
        ),
    ],
)
def test_every_rule_finds_what_it_is_for(rule: str, mail: bytes) -> None:
    assert rule in RULES
    assert broken_rules(mail) == {rule}


def test_a_text_without_the_readers_links_is_not_complete() -> None:
    links = Links(unsubscribe="https://digest.example.org/u/x")
    assert broken_rules(message(), links) == {"text"}
    assert broken_rules(message(text=f"{PRINTED} {links.unsubscribe}"), links) == set()


def test_what_is_hidden_needs_no_contrast() -> None:
    assert broken_rules(message(f'{WHOLE}<div style="display: none; color: #fefefe">x</div>')) == set()
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_a_digest_of_samples_has_no_findings() -> None:
    assert found_in(digest(ranked(paper(title="A $5 trace"))), ALL_LINKS, RENDERER)[0] == []


@pytest.mark.real
def test_the_mails_of_real_days_have_no_findings(shared: Path) -> None:
    packed = shared / "data" / "hf-daily-archive" / "dev-days.tar.xz"
    days = list(listings(packed, most=6))
    assert len(days) == 6
    for listing in days:
        for made in digests(listing):
            assert made.ranked
            for links in (ALL_LINKS, Links()):
                found, size = found_in(made, links, RENDERER)
                assert found == [], listing.listed_on
                assert size > 5_000
