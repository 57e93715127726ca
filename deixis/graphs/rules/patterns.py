"""What sentence patterns are made of, and the openings that are left away before they are tried."""

# ruff: noqa: E501 - a pattern is easier to read on one line than in pieces

from __future__ import annotations

import re
from typing import NamedTuple

from deixis.graphs.rules import lexicon as lex

OPENERS = frozenset(
    "please hey hi hello ok okay well so now then deixis and but also pls plz um uh thanks".split()
)
POLITE = re.compile(
    r"(?:(?:can|could|would|will) you (?:please |kindly |also )?(?:tell|let|help) (?:me|us)(?: know| to)? (?=[^ ])"
    r"|(?:i want|i would like|i need|i wanted|i wish|i am trying)(?: you)? to (?:know|see|ask|learn|find out) "
    r"|i wonder(?:ed)? |i am wondering |do you know |do you have any idea |any idea |tell (?:me|us) (?=what|where|which|how|if|whether|who|when|is|are|does|do)"
    r"|(?:can|could|would|will) you (?:please |kindly |also |maybe )?(?=show|find|locate|point|segment|list|count|describe|name|highlight|mark|detect|identify|caption|outline|select|give|draw|explain|summari[sz]e|ground|box|circle)"
    r"|let me know |if |whether |(?:please|kindly) |i think |guess |question |given (?:this|the) (?:image|picture|photo|sound) )"
)

MEDIA = "|".join(sorted(lex.PICTURE))
SOUNDS = "sound|sounds|noise|noises|audio|recording|soundtrack|clip|track"
HEAR = "hear|heard|hearing|audible|listen"
VERBS = "|".join(sorted(set(lex.SOUND_VERBS)))
SEE = "see|spot|find|notice|recogni[sz]e|detect|make out|observe|identify"
MAKES = "make|makes|making|made|produce|produces|producing|produced|cause|causes|causing|caused|emit|emits|emitting|create|creates|creating|generate|generates|generating"
COLOURS = "|".join(sorted(lex.COLOURS))
BELONG = "belong|belongs|match|matches|matching|related|fit|fits|go together|goes together|correspond|corresponds|consistent|connected|same event|same scene|same thing|agree|unrelated|go with|goes with|linked|compatible"


class Rule(NamedTuple):
    """A pattern and what it means. `heard`: only where a sound is spoken of; `whole`: one expression."""

    intent: str
    pattern: re.Pattern[str]
    whole: bool = False
    needs_phrase: bool = False
    heard: bool = False
    attribute: str = ""
    false_premise: bool = False


def rule(intent: str, pattern: str, **more: object) -> Rule:
    return Rule(intent, re.compile(pattern), **more)  # type: ignore[arg-type]


A = r"(?:is|are|was|were)"
ANY_DO = r"(?:do|can|could|did|does|will|might)"
