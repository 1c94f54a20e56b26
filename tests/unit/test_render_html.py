"""The HTML part: valid, readable by everybody, nothing loaded from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

import paperdigest
from paperdigest.render import Links, Rendered, Renderer
from paperdigest.render.links import NO_LINKS
from paperdigest.types import Digest
from tests.digest_samples import chosen, digest, paper, ranked, subscriber
from tests.html_pages import elements, hrefs, of_class, only, parsed, tags, words

HOSTILE = "<img src=x onerror=alert(1)> & \"q\" 'a' {{ 7*7 }} {% raw %} </style></title><!-- =?utf-8?q?x?="


ALL = Links(
    unsubscribe="https://digest.example.org/u/x",
    manage="https://digest.example.org/m/x",
    read="https://digest.example.org/d/x",
    unsubscribe_mailto="unsub@example.org",
)


def page(made: Digest | None = None, links: Links = NO_LINKS, **settings: str) -> etree._Element:
    return parsed(Renderer(**settings).digest(made or full(), links).html_page)  # type: ignore[arg-type]  # keywords of Renderer


def full() -> Digest:
    """A digest that shows everything the templates can draw."""
    papers = [
        ranked(paper(1, withdrawn=True, version=2, code_url="https://example.org/code")),
        ranked(paper(2, url=None, pdf_url=None), topic="graphs"),
        ranked(paper(3, abstract=None, authors=(), authors_count=3, published_at=None), entries=(), reasons=()),
    ]
    return digest(*papers)


@pytest.mark.parametrize("links", [NO_LINKS, ALL], ids=["no links", "all links"])
@pytest.mark.parametrize("made", [full(), digest(), digest(ranked(), to=subscriber(topics=()))])
def test_pages_are_valid_html_with_language_direction_and_title(made: Digest, links: Links) -> None:
    drawn = Renderer(postal_address="1 Road").digest(made, links)
    root = parsed(drawn.html_page)
    assert drawn.html_page.lower().startswith("<!doctype html>")
    assert (root.get("lang"), root.get("dir")) == ("en", "ltr")
    assert words(only(root, "title")) == drawn.subject
    assert {"charset": "utf-8"} in [dict(meta.attrib) for meta in root.iter("meta")]


def test_headings_go_down_one_step_at_a_time_from_a_single_h1() -> None:
    levels = [int(tag[1]) for tag in tags(page()) if re.fullmatch(r"h\d", tag)]
    assert levels == [1, 2, 3, 3, 2, 3]


def test_every_table_is_for_layout_and_every_paper_an_article_with_a_name() -> None:
    root = page()
    assert {table.get("role") for table in root.iter("table")} == {"presentation"}
    articles = [node for node in elements(root) if node.get("role") == "article"]
    assert [node.get("aria-label") for node in articles] == ["Paper number 1", "Paper number 3", "Paper number 2"]


def test_links_of_the_same_name_are_told_apart_for_those_who_hear_them() -> None:
    labels = [node.get("aria-label") for node in of_class(page(), "link")]
    assert labels[:3] == ["Abstract: Paper number 1", "PDF: Paper number 1", "Code: Paper number 1"]
    assert len(set(labels)) == len(labels) == 5


def test_words_of_others_find_their_own_direction() -> None:
    for name in ("paper-title", "abstract", "topic-name"):
        assert {node.get("dir") for node in of_class(page(), name)} == {"auto"}


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = Renderer().digest(full(), ALL).html_page
    assert not re.search(r"\bsrc=|\bbackground=|url\(|@import|<link|<script|<img|<iframe|<object|<form|<base", html)
    assert not [name for node in elements(parsed(html)) for name in node.attrib if str(name).startswith("on")]


def test_links_lead_to_the_paper_and_nowhere_else() -> None:
    one = "https://arxiv.org/abs/2604.00001"
    root = page(digest(ranked(paper(code_url="javascript:alert(1)"))))
    assert hrefs(root) == [one, one, "https://arxiv.org/pdf/2604.00001"]


def test_without_pages_the_way_out_is_an_empty_mail() -> None:
    root = page(links=Links(unsubscribe_mailto="unsub+a?b@example.org"))
    assert hrefs(root)[-1] == "mailto:unsub%2Ba%3Fb@example.org?subject=unsubscribe"
    assert "send an empty mail to unsub+a?b@example.org." in words(only(root, "body"))


def test_without_any_link_the_way_out_is_the_sender() -> None:
    assert "To change it or to stop it, write to the sender of this mail." in words(only(page(), "body"))
    by_mail = words(only(page(links=Links(unsubscribe_mailto="unsub@example.org")), "body"))
    assert "unsub@example.org. To change it, write to the sender of this mail." in by_mail


@pytest.mark.parametrize(
    ("considered", "line"), [(1, "3 of 1 unseen paper for you"), (46, "3 of 46 unseen papers for you")]
)
def test_the_head_says_how_many_of_how_many(considered: int, line: str) -> None:
    edition = words(of_class(page(replace(full(), considered=considered)), "edition")[0])
    assert edition == f"Wednesday, 15 April 2026 · {line}"


def test_a_withdrawn_paper_says_so_before_its_authors() -> None:
    lines = [words(node) for node in of_class(page(), "meta")]
    assert lines[:2] == ["Withdrawn by its authors.", "Ada Example, Ben Example"]
    assert lines.count("Withdrawn by its authors.") == 1


def test_facts_and_badges_stand_in_one_line_and_no_line_is_empty() -> None:
    root = page()
    assert words(of_class(root, "meta")[2]) == "13 April 2026 · version 2 hf · 12 upvotes · 1 comment"
    assert [node for node in root.iter("p", "a", "h1", "h2", "h3", "strong") if not words(node)] == []


def test_matched_words_are_marked_in_abstract_and_reasons() -> None:
    root = page(digest(ranked(paper(abstract="Trace the <trace> & retraced."), reasons=("has *trace* & *<b>*",))))
    assert [words(node) for node in of_class(root, "hit")] == ["Trace", "trace", "trace", "<b>"]
    assert words(of_class(root, "abstract")[0]) == "Trace the <trace> & retraced."
    assert words(of_class(root, "why")[0]) == "Why: has trace & <b>"


def test_hostile_text_is_shown_as_it_was_written() -> None:
    one = ranked(paper(title=HOSTILE, abstract=HOSTILE), topic=HOSTILE, reasons=(HOSTILE,))
    root = page(digest(one, to=subscriber(topics=(HOSTILE[:50],))), title=HOSTILE, postal_address=HOSTILE)
    assert set(tags(root)) <= set(tags(page()))
    for name in ("name", "paper-title", "abstract"):
        assert [words(node) for node in of_class(root, name)] == [HOSTILE]
    assert "49" not in words(only(root, "body"))
    assert of_class(root, "badge")[0].text == "hf · 12 upvotes · 1 comment"


def test_rendering_the_same_digest_gives_the_same_bytes() -> None:
    made = full()
    first = Renderer().digest(made)
    assert isinstance(first, Rendered)
    assert first == Renderer().digest(made)


def test_the_order_of_hashing_changes_nothing() -> None:
    script = (
        "import hashlib\n"
        "from paperdigest.render import Renderer\n"
        "from tests.unit.test_render_html import full\n"
        "print(hashlib.sha256(repr(Renderer().digest(full())).encode()).hexdigest())\n"
    )
    hashes = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=root, env=environment, capture_output=True, text=True, check=True
        )
        hashes.add(done.stdout)
    assert len(hashes) == 1


# The style sheet


def style_sheet() -> str:
    sheet = (Path(paperdigest.__file__).parent / "templates/mail/_style.css").read_text(encoding="utf-8")
    return re.sub(r"\{#.*?#\}", "", sheet)


def rules(css: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield class and declarations of each rule of a sheet without at-rules."""
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        declared = dict(re.split(r"\s*:\s*", one.strip(), maxsplit=1) for one in body.split(";") if one.strip())
        for selector in selectors.split(","):
            yield selector.strip(), declared


def schemes() -> dict[str, dict[str, dict[str, str]]]:
    """The declarations of each class in light and, with its overrides, in dark."""
    plain, _, dark = style_sheet().partition("@media (prefers-color-scheme: dark) {")
    light: dict[str, dict[str, str]] = {}
    for selector, declared in rules(plain.partition("@media")[0]):
        light.setdefault(selector, {}).update(declared)
    darker = {selector: dict(declared) for selector, declared in light.items()}
    for selector, declared in rules(dark.rstrip().removesuffix("}")):
        assert all(value.endswith("!important") for value in declared.values()), f"{selector}: inlined styles win"
        darker[selector] |= {name: value.removesuffix("!important").strip() for name, value in declared.items()}
    return {"light": light, "dark": darker}


def luminance(color: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    assert re.fullmatch(r"#[0-9a-f]{6}", color), color
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_of_contrast_is_that_of_the_guideline() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_a_contrast_of_four_and_a_half(scheme: str) -> None:
    styles = schemes()[scheme]
    sheet = styles[".sheet"]["background-color"]
    pairs = {
        name: (declared["color"], declared.get("background-color", sheet))
        for name, declared in styles.items()
        if "color" in declared
    }
    assert {".page", ".name", ".paper", ".abstract", ".badge", ".hit", ".link", ".topic-name"} <= pairs.keys()
    assert {name: contrast(*pair) for name, pair in pairs.items() if contrast(*pair) < 4.5} == {}
    # A marked word may stand in any other text: it must also be told from the paper.
    assert contrast(styles[".hit"]["color"], sheet) >= 4.5


def test_no_text_is_smaller_than_14_pixels_and_the_page_no_wider_than_640() -> None:
    styles = schemes()["light"]
    sizes = {name: declared["font-size"] for name, declared in styles.items() if "font-size" in declared}
    assert sizes.pop(".preview") == "1px" and styles[".preview"]["display"] == "none"
    assert min(int(size.removesuffix("px")) for size in sizes.values()) == 14
    assert styles[".sheet"]["max-width"] == "640px"


def test_every_class_of_the_page_has_a_style_and_every_style_is_inlined() -> None:
    styles = schemes()["light"]
    root = page(links=ALL)
    used = {name for node in elements(root) for name in str(node.get("class", "")).split()}
    for other in (page(), page(chosen())):
        used |= {name for node in elements(other) for name in str(node.get("class", "")).split()}
    assert {f".{name}" for name in used} - {".first"} == styles.keys() - {":root"}
    colored = [node for name in ("paper", "abstract", "hit", "badge") for node in of_class(root, name)]
    assert [node for node in colored if "color:" not in str(node.get("style"))] == []


def test_both_color_schemes_are_announced_and_kept_for_programs_that_read_them() -> None:
    root = page()
    assert {"name": "color-scheme", "content": "light dark"} in [dict(meta.attrib) for meta in root.iter("meta")]
    kept = only(root, "style").text or ""
    assert "@media (prefers-color-scheme: dark)" in kept and "@media (max-width: 480px)" in kept
