"""Turns that need no media: thanks, greetings, what deixis can do, what was asked and found so far."""

# ruff: noqa: E501 - a pattern is easier to read on one line than in pieces

from __future__ import annotations

import re

KINDS = ("greeting", "thanks", "bye", "help", "questions", "found", "again", "why", "media")
_RULES: tuple[tuple[str, str], ...] = (
    ("greeting", r"(?:hello|hi|hey|good (?:morning|afternoon|evening))(?: there| deixis| again)?"),
    ("thanks", r"(?:ok(?:ay)?,? |great,? |cool,? )?(?:thanks|thank you|thx|cheers)(?: (?:a lot|very much|so much|again|for .*))?"
               r"|(?:ok(?:ay)?|great|good|nice|cool|perfect|fine|i see|got it|alright|well done)(?: (?:job|work))?"),
    ("bye", r"(?:good ?)?bye(?: bye)?|see you(?: later)?|that(?: i|')?s all"),
    ("help", r"help|what (?:can|do) you do(?: for me)?|who are you|what are you|how do(?:es)? (?:you|this|it) work"
             r"|what can i ask(?: you)?"),
    ("questions", r"what (?:did|have|was) i (?:ask|asked|say|said|just ask)(?:ed)?(?: you)?(?: (?:first|before|last|so far|earlier))?"
                  r"|what (?:was|were) my (?:(?:first|last|previous) )?questions?"),
    ("found", r"(?:so )?what (?:have|did|do) (?:you|we) (?:see|saw|seen|find|found|hear|heard|know|talk about)"
              r" (?:so far|before|earlier|until now|already)"
              r"|(?:please )?(?:sum(?:mari[sz]e| up)|recap)(?: (?:everything|this|it|that|so far|what (?:we|you) .*))*"
              r"|what do you remember(?: .*)?|what have (?:we|you) (?:found|seen|heard)"),
    ("again", r"(?:please )?(?:say (?:that|it) again|repeat(?: (?:that|it|your (?:last )?answer))?|come again|pardon|sorry)"
              r"|what did you (?:just )?say(?: (?:last|before|again))?"),
    ("why", r"why|how do you know(?: (?:that|this|it))?|are you (?:sure|certain)(?: .*)?|really|says who|who says (?:so|that)"
            r"|what(?: i|')?s the evidence|prove it"),
    ("media", r"(?:which|what|how many) (?:pictures?|photos?|images?|sounds?|files?|media)(?: and sounds?)?"
              r" (?:do you have|did i (?:give|send|upload|show)(?: you)?|are (?:there|we talking about|in this conversation))"),
)  # fmt: skip
_PATTERNS = tuple((kind, re.compile(rf"\W*(?:{pattern})\W*", re.IGNORECASE)) for kind, pattern in _RULES)
_WITHOUT_MEDIA = frozenset({"greeting", "help"})
_ON_THE_WAY = frozenset({"questions", "found", "again", "why", "media"})
MOST_CHARACTERS = 120


def talk_of(question: str, *, turns: int, media: bool, new_media: bool) -> str:
    """Returns which of `KINDS` a turn is; empty where it asks something of the media, or is anything else.

    A greeting that brings its first picture along asks for a description, as it does outside of
    conversations; questions about earlier turns need some.
    """
    if len(question) > MOST_CHARACTERS or not question.strip():
        return ""
    for kind, pattern in _PATTERNS:
        if pattern.fullmatch(question.strip()) is None:
            continue
        if kind in _ON_THE_WAY and not turns:
            return ""
        if kind in _WITHOUT_MEDIA and media and (new_media or not turns):
            return ""
        return kind if not new_media or kind in _ON_THE_WAY else ""
    return ""
