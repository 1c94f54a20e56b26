"""Messages that were finished when they were begun."""

from __future__ import annotations

from collections.abc import Callable

from paperdigest.pipeline.feeding import Finish, RenderMessage
from paperdigest.protocols import OutgoingMessage
from paperdigest.types import Delivery, Digest


def written(render: Callable[[Digest, Delivery], OutgoingMessage]) -> RenderMessage:
    """Return what delivery wants, of what makes a message in one step."""

    def begin(digest: Digest, delivery: Delivery) -> Finish:
        message = render(digest, delivery)
        return lambda: message

    return begin
