"""Which printed names may be one person."""

from __future__ import annotations

import pytest

from paperdigest.query.names import Name, agree

SAME = {
    "Jane Doe": [
        "Jane Doe", "J. Doe", "J Doe", "Doe, Jane", "Doe, J.", "Jane A. Doe", "J. A. Doe", "J.A. Doe", "JANE DOÉ",
        "Doe J", "Doe J. A.", "Doe Jane", "A. Jane Doe", "Doe, Jane, Jr.", "Jane Doe Jr.", "Jane Doe Smith", "jane doe",
    ],
    "Jane A. Doe": ["Jane Doe", "J. Doe", "Jane Alice Doe", "J. A. Doe"],
    "Doe, Jane": ["Jane Doe", "J. Doe", "Jane A. Doe"],
    "J. Doe": ["Jane Doe", "John Doe", "Doe, Jane"],
    "Wang Xiaolong": ["Xiaolong Wang", "Wang, Xiaolong", "Xiao-Long Wang", "WANG Xiaolong"],
    "Xiaolong Wang": ["Wang Xiaolong", "X.-L. Wang", "Wang Xiao Long", "Wang, X.", "Wang X. L."],
    "Wang, Xiaolong": ["X. Wang", "Wang X.", "Wang Xiaolong"],
    "Jan van der Berg": ["van der Berg, Jan", "J. van der Berg", "Jan Berg", "Berg, Jan van der"],
    "van der Berg": ["Jan van der Berg", "van der Berg, J."],
    "Søren Müller": ["Soeren Mueller", "Soren Muller", "S. Müller", "SØREN MÜLLER",
        "Mu\N{COMBINING DIAERESIS}ller, S."],
    "Soren Mueller": ["Søren Müller"],
    "O'Brien": ["Conan O’Brien", "C. OBrien", "O'Brien, Conan"],
    "García López": ["José García-López", "García López, José"],
    "Jean-Pierre Serre": ["J.-P. Serre", "Jean Pierre Serre", "J. Serre", "Serre, Jean-Pierre"],
    "ATLAS Collaboration": ["The ATLAS Collaboration", "ATLAS Collaboration"],
    "atlas": ["The ATLAS Collaboration"],
    "doe": ["Jane Doe", "Doe, J.", "Doe", "John Doe-Smith"],
    "王小龙": ["王小龙"],
    "Łukasz Kaiser": ["Lukasz Kaiser", "Kaiser, Ł."],
}  # fmt: skip
OTHER = {
    "Jane Doe": [
        "John Doe", "Jane Roe", "Jane D.", "Jo Doe", "A. J. Doe", "Doe", "Jane", "D. Jane", "Doe, John", "J. Doering",
        "", "Doe, A.", "Jane B. Roe", "?",
    ],
    "Jane A. Doe": ["Jane B. Doe", "A. Doe", "J. B. Doe"],
    "Wang Xiaolong": ["Wang Xiao", "Wang Xiaoling", "Li Xiaolong", "Xiaolong Li"],
    "Martin James": ["J. Martin"],
    "Jan van der Berg": ["Jan van der Beck", "Piet van der Berg"],
    "García López": ["José García", "José López García"],
    "Jane Mary Doe": ["Jane Mary", "Jane Peter Doe"],
    "ATLAS Collaboration": ["CMS Collaboration", "Charles Atlas"],
    "doe": ["Jane Doebler", "Dóerr"],
    "王小龙": ["王小", "小龙"],
}  # fmt: skip


@pytest.mark.parametrize(("wanted", "printed"), [(one, name) for one, names in SAME.items() for name in names])
def test_a_name_is_known_however_it_is_printed(wanted: str, printed: str) -> None:
    assert agree(Name.of(wanted), Name.of(printed))


@pytest.mark.parametrize(("wanted", "printed"), [(one, name) for one, names in OTHER.items() for name in names])
def test_another_name_is_another_person(wanted: str, printed: str) -> None:
    assert not agree(Name.of(wanted), Name.of(printed))


def test_a_hostile_name_costs_little() -> None:
    long = Name.of("a " * 100_000)
    assert len(long.parts) <= 12
    assert agree(long, long)
