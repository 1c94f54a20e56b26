"""The query language of topics and searches: one grammar, one parser, one meaning."""

from paperdigest.query.fields import Field
from paperdigest.query.parsing import parse_query
from paperdigest.query.syntax import Clause, Form, Keyword, Occur, Query

__all__ = ["Clause", "Field", "Form", "Keyword", "Occur", "Query", "parse_query"]
