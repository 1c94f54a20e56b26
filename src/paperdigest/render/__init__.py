"""Draw a frozen digest as HTML and as text: pure functions of the digest and the templates."""

from paperdigest.render.digest import MAX_HTML_BYTES, Rendered, Renderer
from paperdigest.render.links import Links

__all__ = ["MAX_HTML_BYTES", "Links", "Rendered", "Renderer"]
