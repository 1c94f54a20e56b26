"""Whatever the bytes of a page: a tree or a `ParseError`, and every wanted element is in both trees."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paperdigest.errors import ParseError
from paperdigest.sources.html import soup

PIECES = st.sampled_from(
    [
        *("<p>", "</p>", "<b>", "</b>", "<table>", "<td>", "</table>", "<br/>", "<html x=1>", "</html>", "<body>"),
        *("</body>", "<head>", "<frameset>", "<svg:a xmlns:y='z'>", "<a {x}y=1 {=2 }=3>", "<script>", "</script>"),
        *("<textarea>", "<plaintext>", "<!--", "-->", "<![CDATA[", "]]>", "<?x", "<!doctype", "<pre>", "<template>"),
        *("<select><option>", "<form>", "</form>", "&#xd800;", "&#0;", "\x00", "<a\x00b>", "<0>", "</", ">", "<é>"),
        *("<meta charset=utf-16>", "<meta http-equiv=content-type content='text/html; charset=x'>", "<p class='a  b'>"),
    ]
)
MARKUP = st.lists(PIECES | st.text(max_size=6), max_size=40).map(
    lambda pieces: "".join(pieces).encode("utf-8", "replace")
)


@given(MARKUP | st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_a_parse_error(body: bytes) -> None:
    try:
        page = soup(body, "page.html")
    except ParseError as error:
        assert str(error).startswith("page.html: ")
        return
    bold = soup(body, "page.html", only=lambda tag, _: tag == "b")
    assert [tag.name for tag in bold.find_all(True)] == ["b"] * len(page.find_all("b"))
