"""The operator's own templates: tried before ours, sandboxed, and blamed by name and line when broken."""

from __future__ import annotations

from pathlib import Path

import pytest

import paperdigest
from paperdigest.errors import RenderError
from paperdigest.render import Rendered, Renderer
from paperdigest.render.samples import SAMPLE_LINKS, SAMPLES
from tests.digest_samples import digest, paper, ranked, subscriber

HTML, TEXT = "mail/digest.html.j2", "mail/digest.txt.j2"


def with_template(folder: Path, source: str, name: str = HTML) -> Rendered:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    made = digest(ranked(paper(title="<i>Title</i>"), topic="\r\n<b>"))
    return Renderer(templates=folder).digest(made)


def test_a_template_of_the_operator_replaces_ours_of_the_same_name(tmp_path: Path) -> None:
    done = with_template(tmp_path, "For you: {{ digest.sections[0].papers[0].title }}", TEXT)
    assert done.text_page == "For you: <i>Title</i>\n"
    assert "<h1" in done.html_page


def test_only_the_drawing_of_a_paper_can_be_replaced(tmp_path: Path) -> None:
    done = with_template(tmp_path, "{% macro paper(one) %}<h3>{{ one.title }}!</h3>{% endmacro %}", "_paper.html.j2")
    assert "<h3>&lt;i&gt;Title&lt;/i&gt;!</h3>" in done.html_page
    assert "You get this because" in done.html_page


def test_an_own_style_sheet_is_inlined(tmp_path: Path) -> None:
    done = with_template(tmp_path, ".name { color: #123456; }", "mail/_style.css")
    assert '<h1 class="name" style="color:#123456">' in done.html_page


def test_own_pages_are_escaped_and_own_texts_are_not(tmp_path: Path) -> None:
    source = "{{ digest.sections[0].papers[0].title }} {{ digest.sections[0].topic }}"
    assert "&lt;i&gt;Title&lt;/i&gt; &lt;b&gt;" in with_template(tmp_path, source).html_page
    assert with_template(tmp_path, source, TEXT).text_page == "<i>Title</i> <b>\n"


def test_an_empty_folder_changes_nothing(tmp_path: Path) -> None:
    made = digest(ranked())
    assert Renderer(templates=tmp_path).digest(made) == Renderer().digest(made)


@pytest.mark.parametrize(
    "source",
    [
        "{{ digest.__class__ }}",
        "{{ digest.__class__.__mro__[1].__subclasses__() }}",
        "{{ digest['__class__'] }}",
        "{{ digest|attr('__class__') }}",
        "{{ ''.__class__.__base__ }}",
        "{{ '{0.__class__}'.format(digest) }}",
        "{{ digest.sections.__len__() }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ self.__init__.__globals__ }}",
        "{{ digest.__setattr__('title', 'x') }}",
        "{% set digest.title = 'x' %}",
        "{% for section in digest.sections %}{{ section.papers.append(1) }}{% endfor %}",
        "{% set names = [1] %}{{ names.append(2) }}",
        "{% for i in range(10 ** 9) %}{% endfor %}",
    ],
)
@pytest.mark.parametrize("name", [HTML, TEXT])
def test_a_template_can_neither_look_behind_values_nor_change_them(tmp_path: Path, source: str, name: str) -> None:
    with pytest.raises(RenderError) as caught:
        with_template(tmp_path, source, name)
    assert caught.value.template == name
    assert caught.value.problem.startswith("line 1: ")


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/hostname", "mail/../../secret.txt"])
def test_a_template_cannot_read_files_beside_its_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    with pytest.raises(RenderError, match="TemplateNotFound"):
        with_template(tmp_path / "own", f"{{% include '{path}' %}}")


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("<p>\n{% if digest %}\n<p>", 3, "endif"),
        ("<p>\n{{ digest.titel }}", 2, "titel"),
        ("<p>\n\n{{ nothing }}", 3, "'nothing' is undefined"),
        ("{{ digest.title|shout }}", 1, "No filter named 'shout'"),
        ("\n{{ digest.left_out / 0 }}", 2, "ZeroDivisionError"),
        ("\n{{ digest.left_out + digest.title }}", 2, "TypeError"),
        ("\n{{ digest.sections[0].papers[9].title }}", 2, "no element 9"),
        ("\n{% include 'missing.j2' %}", 2, "TemplateNotFound: missing.j2"),
        ("\n{% macro deep() %}{{ deep() }}{% endmacro %}{{ deep() }}", 2, "RecursionError"),
        ("{{ digest.title", 1, "unexpected end of template"),
    ],
)
def test_a_broken_template_is_named_with_its_line(tmp_path: Path, source: str, line: int, problem: str) -> None:
    with pytest.raises(RenderError) as caught:
        with_template(tmp_path, source)
    assert str(caught.value).startswith(f"template {HTML}: line {line}: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize("source", ["{% macro paper(one) %}\n{{ one.titel }}{% endmacro %}", "\n{% macro %}"])
def test_a_fault_in_a_part_is_not_blamed_on_the_whole(tmp_path: Path, source: str) -> None:
    with pytest.raises(RenderError) as caught:
        with_template(tmp_path, source, "_paper.html.j2")
    assert str(caught.value).startswith("template _paper.html.j2: line 2: ")


def test_a_template_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / TEXT).write_bytes("Grüße".encode("latin-1"))
    with pytest.raises(RenderError, match=r"mail/digest\.txt\.j2: UnicodeDecodeError"):
        Renderer(templates=tmp_path).digest(digest(ranked()))


@pytest.mark.parametrize("name", [HTML, TEXT])
def test_a_template_that_writes_half_a_character_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RenderError, match="surrogates not allowed"):
        with_template(tmp_path, r"{{ '\ud800' }}", name)


def test_an_own_page_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="even with a single paper"):
        with_template(tmp_path, "{% for i in range(100000) %}x{% endfor %}")


def test_a_page_without_any_paper_is_no_way_out(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="even with a single paper"):
        with_template(tmp_path, "{% macro paper(one) %}{{ 'x' * 100000 }}{% endmacro %}", "_paper.html.j2")


def test_own_styles_are_never_fetched(tmp_path: Path) -> None:
    page = '<link rel="stylesheet" href="http://127.0.0.1:9/x.css"><p>{{ digest.title }}</p>'
    assert "<p>paperdigest</p>" in with_template(tmp_path, page).html_page


def test_rendering_changes_no_template_for_the_next_digest(tmp_path: Path) -> None:
    renderer = Renderer()
    first, other = digest(ranked()), digest(ranked(paper(2, title="Other")), to=subscriber("other@example.org"))
    before = renderer.digest(first)
    assert "Other" in renderer.digest(other).html_page
    assert renderer.digest(first) == before


# Tried before they are needed


def test_our_own_templates_pass_with_everything_there_is_to_draw() -> None:
    Renderer(title="t", postal_address="1 Road").check()
    Renderer(quick=False).check()


@pytest.mark.parametrize(
    "branch",
    [
        "digest.quiet",
        "digest.revised",
        "digest.revised_left_out",
        "digest.notes",
        "digest.left_out",
        "digest.method",
        "digest.read",
        "digest.manage",
        "digest.unsubscribe",
        "digest.mailto and not digest.unsubscribe",
        "not digest.mailto",
        "not digest.sections",
        "digest.sections|length > 1",
        "digest.sections and digest.sections[0].papers|length > 1",
        "digest.sections and digest.sections[0].papers[0].reasons|length > 1",
        "digest.sections and digest.sections[0].papers[0].authors[0].strong",
        "digest.sections and digest.sections[0].papers[0].also",
        "digest.sections and digest.sections[0].papers[0].links|length == 3",
        "digest.sections and digest.sections[0].papers[0].badges",
        "digest.sections and digest.sections[0].papers[0].like",
        "digest.sections|length > 1 and not digest.sections[1].papers[0].abstract",
        "digest.sections|length > 1 and not digest.sections[1].papers[0].authors",
        "digest.sections|length > 1 and not digest.sections[1].papers[0].url",
        "digest.sections|length > 1 and digest.sections[1].papers[0].placement",
        "digest.sections|length > 1 and digest.sections[0].papers[1].withdrawn",
        "digest.revised|length > 2 and digest.revised[2].withdrawn",
        "digest.revised and not digest.revised[1].url and not digest.revised[0].withdrawn",
    ],
)
@pytest.mark.parametrize("name", [HTML, TEXT])
def test_an_own_template_that_is_wrong_in_a_rare_case_is_found_before_the_case(
    tmp_path: Path, branch: str, name: str
) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / name).write_text(f"<p>\n{{% if {branch} %}}\n{{{{ digest.nothing }}}}\n{{% endif %}}", encoding="utf-8")
    with pytest.raises(RenderError, match=f"{name}: line 3: .*nothing"):
        Renderer(templates=tmp_path).check()


def test_an_own_template_that_is_too_large_is_found(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / HTML).write_text("{% for i in range(99999) %}x{% endfor %}", encoding="utf-8")
    with pytest.raises(RenderError, match="even with a single paper"):
        Renderer(templates=tmp_path).check()


@pytest.mark.parametrize(
    "name", [HTML, TEXT, "mail/_rows.html.j2", "mail/_rows.txt.j2", "_paper.html.j2", "_paper.txt.j2"]
)
def test_any_own_file_of_a_mail_counts_at_once(tmp_path: Path, name: str) -> None:
    ours = Path(paperdigest.__file__).parent / "templates" / name
    (tmp_path / name).parent.mkdir(exist_ok=True)
    changed = ours.read_text(encoding="utf-8").replace("Unsubscribe", "Farewell").replace("papers you liked", "yours")
    changed = changed.replace("More like this", "More of it")
    (tmp_path / name).write_text(changed, encoding="utf-8")
    done, plain = (Renderer(templates=folder).digest(SAMPLES[0], SAMPLE_LINKS[-1]) for folder in (tmp_path, None))
    part, other = ("html_page", "text_page") if ".html" in name else ("text_page", "html_page")
    assert getattr(done, part) != getattr(plain, part)
    assert getattr(done, other) == getattr(plain, other)


def test_a_template_of_a_web_page_leaves_mails_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "page.html.j2").write_text("x", encoding="utf-8")
    made = digest(ranked())
    assert Renderer(templates=tmp_path).digest(made) == Renderer().digest(made)


def test_a_template_that_appears_later_is_not_used_before_the_next_start(tmp_path: Path) -> None:
    """Only what was there at the start decides whether a sandbox is needed."""
    renderer = Renderer(templates=tmp_path)
    (tmp_path / "mail").mkdir()
    (tmp_path / TEXT).write_text("{{ digest.__class__.__mro__ }}", encoding="utf-8")
    assert renderer.digest(digest(ranked())) == Renderer().digest(digest(ranked()))
    with pytest.raises(RenderError, match="unsafe"):
        Renderer(templates=tmp_path).digest(digest(ranked()))
