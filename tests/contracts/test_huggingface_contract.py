"""The Hugging Face source keeps the contract of every source."""

from __future__ import annotations

from paperdigest.protocols import Source
from paperdigest.sources.huggingface import HuggingFaceSource
from paperdigest.testing.contract import SourceContract
from tests.huggingface_bodies import api, day_props, item, page


class TestHuggingFaceKeepsTheContract(SourceContract):
    good = (
        (api(item(1), item(2)), 2),
        (api(), 0),
        (page(day_props(item(1), item(2), item(3))), 3),
        (b"<article><h3><a href=/papers/2604.00001>A card</a></h3><p>5 authors</p></article>", 1),
    )
    bad = (
        b"",
        b"{}",
        b'["a string"]',
        b"<html><title>Human Verification</title></html>",
        b"Daily Papers\n\nA Title\n\nAn abstract.\n",
    )

    def make(self) -> Source:
        return HuggingFaceSource("papers", {})
