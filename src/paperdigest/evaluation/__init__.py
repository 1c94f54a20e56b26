"""Measuring a ranking on relevance judgements: collections, measures, run files, comparisons.

Knows nothing of how this program ranks: whatever implements `System` can be measured.
"""

from paperdigest.evaluation.collections import Collection, Document, Query, find_collections, read_collection
from paperdigest.evaluation.comparing import Compared, compare
from paperdigest.evaluation.measuring import Measured, measure, measure_run
from paperdigest.evaluation.runs import Run, read_run, write_run
from paperdigest.evaluation.systems import Examples, PreparedSystem, System
from paperdigest.evaluation.tasks import Kind, Setup, kind_of

__all__ = [
    "Collection",
    "Compared",
    "Document",
    "Examples",
    "Kind",
    "Measured",
    "PreparedSystem",
    "Query",
    "Run",
    "Setup",
    "System",
    "compare",
    "find_collections",
    "kind_of",
    "measure",
    "measure_run",
    "read_collection",
    "read_run",
    "write_run",
]
