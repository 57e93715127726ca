"""The offline linker: words tied to labels by lemma, plural, synonym, head noun and kind."""

from __future__ import annotations

from typing import ClassVar

from deixis.answer import Score
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.linking.likeness import (
    SIDES,
    Label,
    contradict,
    is_name,
    label_of,
    likeness,
    many,
    meaning,
    single,
)
from deixis.tools.linking.protocol import Link, LinkRequest, LinkResult
from deixis.tools.linking.spans import Span, Word, without_overlap, words
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.words import lexicon
from deixis.tools.words.phrases import BREAKS, COLOURS, DETERMINERS

_MOST_WORDS = 6
"""Longest phrase that is compared by meaning; exact labels may be longer."""
_OTHER_ONE = frozenset({"another", "other", "second"})
_ADJECTIVES = COLOURS | frozenset(
    """big small large little tiny huge tall short long old young new wooden metal plastic glass stone brick
    leather striped spotted round square fluffy furry cute happy sad dirty clean wet dry empty full open
    closed parked standing sitting sleeping running smiling modern vintage rusty shiny wild domestic
    beautiful""".split()
)
"""Words before a linked noun that belong to what is shown: the whole phrase is marked."""


_OWN = frozenset(
    """station stop driver owner park food track tracks door window wheel tyre tire toy collar leash ticket
    trainer lane shed lover walker rider seat shop store market show race racing hair litter stable""".split()
)
"""Nouns that make the one before them a mere description: a train station is no train."""


class RulesLinker(LocalTool[LinkRequest, LinkResult]):
    """Links every mention, longest match first; says nothing of what it cannot place."""

    name = "linking/rules"
    version = "1"
    role: ClassVar[Role] = "linking"
    Input: ClassVar[type[Frozen]] = LinkRequest
    Output: ClassVar[type[Frozen]] = LinkResult

    def run(self, request: LinkRequest, media: MediaSource | None = None) -> LinkResult:
        """Returns the links; the same request always gives the same ones. No media are read."""
        text_words = words(request.text)
        labels = _groups(request)
        if not labels or not text_words:
            return LinkResult()
        spans = without_overlap(_proposals(request.text, text_words, [label for label, _ in labels]))
        return LinkResult(
            links=tuple(_link(request, text_words, span, labels[span.label][1]) for span in spans)
        )


def _groups(request: LinkRequest) -> list[tuple[Label, list[str]]]:
    """Returns each different label with the ids that share it, in the order of the request."""
    out: dict[tuple[str, ...], list[str]] = {}
    for item in request.labels:
        key = tuple(word.low for word in words(item.label))
        if key:
            out.setdefault(key, []).append(item.id)
    return [(label_of(key), ids) for key, ids in out.items()]


def _proposals(text: str, run: list[Word], labels: list[Label]) -> list[Span]:
    longest = max(_MOST_WORDS, *(len(label.words) for label in labels))
    exact = {len(label.words) for label in labels}
    spans: list[Span] = []
    for i in range(len(run)):
        for size in range(1, min(longest, len(run) - i) + 1):
            if size > 1 and not _one_phrase(text[run[i + size - 2].end : run[i + size - 1].start]):
                break
            phrase = tuple(word.low for word in run[i : i + size])
            if size > _MOST_WORDS and size not in exact:
                continue
            best = _best(phrase, _around(text, run, i, size), labels)
            if best is not None:
                if size == 1 and _modifies(text, run, i, labels[best[1]]):
                    continue
                spans.append(Span(run[i].start, run[i + size - 1].end, size, best[1], best[0]))
            elif 1 < size <= 3 and _is_other_name(phrase):
                spans.append(Span(run[i].start, run[i + size - 1].end, size, -1, 1.0))  # blocks its parts
    kept = [span for span in without_overlap(spans) if span.label >= 0]
    return [_with_adjectives(text, run, span, labels[span.label]) for span in kept]


def _best(phrase: tuple[str, ...], around: frozenset[str], labels: list[Label]) -> tuple[float, int] | None:
    """Returns the score and number of the label nearest to `phrase`, given the words that qualify it."""
    best: tuple[float, int] | None = None
    for number, label in enumerate(labels):
        score = likeness(phrase, label)
        if not score or contradict(around, label):
            continue
        if label.traits and label.traits <= around:
            score = max(score, 0.9)  # "the dog on the left" for "left dog"
        if best is None or score > best[0]:
            best = (score, number)
    return best


def _around(text: str, run: list[Word], i: int, size: int) -> frozenset[str]:
    """Returns the adjectives before a phrase and the side said behind it ("on the left")."""
    found: set[str] = set()
    at = i - 1
    while at >= 0 and (run[at].low in _ADJECTIVES or run[at].low in SIDES):
        if not _one_phrase(text[run[at].end : run[at + 1].start]):
            break
        found.add(run[at].low)
        at -= 1
    behind = [word.low for word in run[i + size : i + size + 4]]
    if behind and behind[0] in {"on", "at", "in", "to"}:
        found |= SIDES.intersection(behind) - {"far"}
    return frozenset(found)


def _one_phrase(gap: str) -> bool:
    """Returns whether two words with `gap` between them may be of one phrase."""
    return gap != "" and gap.strip(" \t\u00a0-") == "" and len(gap) <= 3


def _is_other_name(phrase: tuple[str, ...]) -> bool:
    """Returns whether several words are the name of one thing, of which no part may be linked."""
    whole = single(" ".join(phrase))
    return is_name(whole) and meaning(whole) != meaning(single(phrase[-1]))


def _modifies(text: str, run: list[Word], i: int, label: Label) -> bool:
    """Returns whether a word only describes the next one: "orange cat", "dog house"."""
    if i + 1 >= len(run) or not _one_phrase(text[run[i].end : run[i + 1].start]):
        return False
    word, following = run[i].low, run[i + 1].low
    if following in BREAKS or following in DETERMINERS or single(word) != word:
        return False
    if following in _OWN:
        return following not in label.words
    if word in COLOURS:
        return (
            single(following) != following or is_name(single(following)) or lexicon.is_other_thing(following)
        )
    thing = single(following)
    if thing == following and (is_name(thing) or lexicon.is_other_thing(thing)):
        return thing not in label.words and meaning(thing) != label.meaning
    return False


def _with_adjectives(text: str, run: list[Word], span: Span, label: Label) -> Span:
    """Returns the span grown over the adjectives before it: "wooden table" for the label table."""
    start, count = span.start, span.words
    before = [word for word in run if word.end <= span.start]
    for word in reversed(before):
        if word.low not in _ADJECTIVES or not _one_phrase(text[word.end : start]):
            break
        if word.low in COLOURS and label.traits and word.low not in label.traits:
            break
        start, count = word.start, count + 1
    return Span(start, span.end, count, span.label, span.score)


def _link(request: LinkRequest, run: list[Word], span: Span, ids: list[str]) -> Link:
    phrase = tuple(word.low for word in run if span.start <= word.start and word.end <= span.end)
    previous = next((word.low for word in reversed(run) if word.end <= span.start), "")
    several = len(ids) > 1 and many(phrase)
    which = 1 if len(ids) > 1 and not several and _OTHER_ONE & {previous, phrase[0]} else 0
    return Link(
        phrase=request.text[span.start : span.end],
        start=span.start,
        end=span.end,
        id=ids[which],
        ids=tuple(ids) if several else (),
        confidence=Score(value=span.score, kind="lexical"),
    )


def rules() -> RulesLinker:
    """Returns the offline linker."""
    return RulesLinker()
