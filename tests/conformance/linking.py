"""What every linker must hold to, whatever it is made of; other people's linkers can run it too.

``check_links`` looks at one result; ``linking_cases`` are hypothesis strategies for requests.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st

from deixis.tools.linking import Linkable, LinkRequest, LinkResult
from deixis.tools.linking.spans import on_boundaries

NAMES = (
    "dog",
    "Dog",
    "person",
    "man",
    "woman",
    "red car",
    "car",
    "hot dog",
    "passenger train",
    "train",
    "fruit",
)
PIECES = (
    *NAMES, "dogs", "women", "puppy", "people", "apples", "🐶", "\n", ".", ",", "-", "'s", "the", "a",
    "is", "e\u0301",
    "ß", "İ", "犬", "left", "orange", "\u200d", " ", "_",
)  # fmt: skip


def check_links(request: LinkRequest, result: LinkResult) -> None:
    """Checks spans, order, boundaries and ids.

    Raises:
        AssertionError: the linker broke a rule; the message names it.
    """
    known = {item.id for item in request.labels}
    end = 0
    for link in result.links:
        assert link.start >= end, "links are ordered and do not overlap"
        assert link.phrase, "a phrase is not empty"
        assert request.text[link.start : link.end] == link.phrase, "a phrase is what the text says there"
        assert on_boundaries(request.text, link.start, link.end), "a link cuts no word in two"
        assert link.id in known, "a link names an id of the request"
        assert set(link.ids) <= known and (not link.ids or link.ids[0] == link.id), "ids begin with the id"
        assert 0 <= link.confidence.value <= 1, "a confidence is in 0..1"
        end = link.end
    if not request.labels:
        assert not result.links, "no labels, no links"


def check_whole_words(request: LinkRequest, result: LinkResult) -> None:
    """Checks with a second, independent definition that no ASCII letter stands at a link's border.

    Raises:
        AssertionError: the linker cut a word.
    """
    for link in result.links:
        around = request.text[max(0, link.start - 1) : link.end + 1]
        core = re.escape(link.phrase)
        assert re.search(rf"(?<![A-Za-z0-9]){core}(?![A-Za-z0-9])", around), "a link cuts no word in two"


def linking_cases() -> st.SearchStrategy[LinkRequest]:
    """Returns requests of known pieces, glued with and without blanks, and of any text at all."""
    glued = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["", " ", " ", "\n"])), max_size=14)
    texts = st.one_of(glued.map(lambda run: "".join(a + b for a, b in run)), st.text(max_size=60))
    labels = st.lists(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), max_size=5)
    return st.builds(
        lambda text, names: LinkRequest(
            text=text, labels=tuple(Linkable(id=f"thing-{i}", label=name) for i, name in enumerate(names, 1))
        ),
        texts,
        labels,
    )
