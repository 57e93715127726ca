"""Sentence patterns about sounds: related, source, when, hear, is it heard. Tried in order, first of all.

The group ``x`` holds the noun phrases, ``verb`` what is heard, ``no`` a negation. No repeated group
holds another repetition, so every pattern runs in linear time.
"""

# ruff: noqa: E501 - a pattern is easier to read on one line than in pieces

from __future__ import annotations

from deixis.graphs.rules.patterns import ANY_DO, BELONG, HEAR, MAKES, MEDIA, SOUNDS, VERBS, A, Rule, rule

SOUND_RULES: tuple[Rule, ...] = (
    # Are the picture and the sound related?
    rule("related", rf"\b(?:{MEDIA}|video)\b.*\b(?:{SOUNDS}).*\b(?:{BELONG})\b"),
    rule("related", rf"\b(?:{SOUNDS})\b.*\b(?:{MEDIA}|video)\b.*\b(?:{BELONG})\b"),
    rule(
        "related",
        rf"\b(?:{BELONG})\b.*\b(?:{SOUNDS})\b.*\b(?:{MEDIA})\b|\b(?:{BELONG})\b.*\b(?:{MEDIA})\b.*\b(?:{SOUNDS})\b",
    ),
    rule(
        "related",
        rf"\b(?:{SOUNDS})\b (?:{BELONG}) (?:to |with )?(?:what|the|this|that)\b.*(?:{MEDIA}|see)\b",
    ),
    rule(
        "related",
        rf"^(?:{A}|do|does) (?:they|these|those|the two|both|it|these two|those two)\b.*\b(?:{BELONG})\b",
    ),
    rule(
        "related",
        r"\b(?:relation|relationship|connection|link)\b.*\bbetween\b.*\b(?:image|picture|photo|sound|audio|them|two)\b",
    ),
    rule(
        "related",
        rf"^(?:does|do) (?:anything|something)\b.*\b(?:{MEDIA})\b.*\b(?:{MAKES})\b.*\b(?:{SOUNDS})\b",
    ),
    # What makes the sound?
    rule(
        "source", rf"^(?:what|which thing)\b.*\b(?:in|on) (?:the |this |that )?(?:{MEDIA})\b.*\b(?:{HEAR})$"
    ),
    rule(
        "source",
        r"^(?:what|which thing|who) (?:makes|produces|emits) (?:the |this |that )\w+(?: music| noise)?$",
    ),
    rule(
        "source",
        rf"^(?:what|which|who)(?P<x> [^,]*?)?(?: {A})?(?: it| that| responsible for)? (?:{MAKES})\b.*\b(?:{SOUNDS}|that|this|it)\b",
    ),
    rule(
        "source",
        rf"\b(?:what|which thing|who) (?:{A} )?(?:{MAKES}) (?:the |this |that |these |such )?(?:\w+ ){{0,3}}(?:{SOUNDS})\b",
    ),
    rule(
        "source",
        rf"\bsources? of (?:the |this |that |these )?(?:\w+ ){{0,2}}(?:{SOUNDS})\b|\b(?:sound|noise) source\b|\bsounding (?:object|thing)\b",
    ),
    rule(
        "source",
        rf"^(?:where|what|which|who)\b.*\b(?:{SOUNDS}|{VERBS})\b.*\b(?:come|comes|coming|came|originate|originates)\b",
    ),
    rule("source", rf"^(?:what|who|which)(?P<x> \w+)? {A} (?P<verb>(?:{VERBS}))$"),
    rule(
        "source",
        rf"\b(?:thing|object|one|animal|instrument|what|whatever)s?(?: that| which)?(?: is| are)? (?:{MAKES}|{VERBS})\b.*\b(?:{SOUNDS})\b",
    ),
    # When is it heard?
    rule(
        "sound_when",
        r"^from when to when (?:is|are|was|were) (?:there )?(?P<x>.+?)(?: heard)?$",
        needs_phrase=True,
    ),
    rule(
        "sound_when",
        rf"^(?:when|at (?:what|which) (?:time|second|moment)s?|how long|how often|from when)\b(?: {ANY_DO})? (?:i|you|we|one) (?:{HEAR}) (?P<x>.+)$",
    ),
    rule(
        "sound_when",
        rf"^(?:when|at (?:what|which) (?:time|second|moment)s?|how long) (?:does|do|did|is|are|was|were) (?P<x>.+?)(?: start| begin| stop| end| first| being)?(?: to)? (?P<verb>{VERBS})(?: \w+)?$",
        needs_phrase=True,
    ),
    rule(
        "sound_when",
        rf"^(?:when|at (?:what|which) (?:time|second|moment)s?|how long) (?:is|are|can|was|were|does|do) (?P<x>.+?) (?:be |to be )?(?:{HEAR}|start|starts|begin|stop|end|happen|occur|sound|last|appear)\b",
    ),
    rule(
        "sound_when",
        r"^(?:when|at (?:what|which) (?:time|second|moment)s?) (?:is|are|was|were) (?:there )?(?P<x>.+)$",
        heard=True,
        needs_phrase=True,
    ),
    # What is heard?
    rule("hear", rf"^(?:what|which)(?: \w+){{0,3}} {ANY_DO} (?:you|i|we|one) (?:{HEAR})\b"),
    rule("hear", rf"^(?:what|which)(?: \w+){{0,3}} (?:{A} )?(?:be )?(?:to be )?(?:{HEAR})\b"),
    rule(
        "hear",
        rf"^what {ANY_DO} (?:the |this |that )?(?:it|{SOUNDS}) (?:sound like|contain|have)\b|^what does (?:it|this|that) sound like",
    ),
    rule("hear", rf"^(?:what|which)(?: kinds? of| types? of| sorts? of| other)? (?:{SOUNDS})\b"),
    rule(
        "hear",
        rf"^what (?:{A}|{A} happening|{A} going on|happens) (?:there )?(?:in|on|behind) (?:the |this |that )?(?:\w+ )?(?:{SOUNDS})$",
    ),
    rule("hear", rf"^what (?:{A}) (?:the |this |that |these )(?:\w+ )?(?:{SOUNDS})$"),
    rule(
        "describe",
        rf"^(?:describe|summari[sz]e|tell me about|explain)\b(?:.*\b(?:see|scene|{MEDIA})\b.*\b(?:{SOUNDS}|hear)\b|.*\b(?:{SOUNDS}|hear)\b.*\b(?:see|scene|{MEDIA})\b)",
    ),
    rule(
        "hear",
        rf"^(?:describe|identify|caption|classify|list|name|explain|transcribe|summari[sz]e|tell me about|listen to|recogni[sz]e)\b.*\b(?:{SOUNDS}|hear)\b(?! *and)",
    ),
    rule(
        "hear",
        rf"^(?:tell me )?what (?:you|i|we) (?:can )?hear\b|^listen\b|^{ANY_DO} (?:you|i|we) hear(?: it| this| that| anything| something)?$|^is (?:there )?(?:anything|something)(?: to be)? (?:{HEAR})",
    ),
    # Is it heard?
    rule(
        "sound_presence",
        rf"^{ANY_DO}(?P<no> not)? (?:you|i|we|one) (?:also )?hear (?P<x>.+)$",
        needs_phrase=True,
    ),
    rule(
        "sound_presence",
        r"^(?:can|could|is|are|was|were) (?P<x>.+?) (?:be |being )?(?:heard|audible)\b",
        needs_phrase=True,
    ),
    rule(
        "sound_presence",
        rf"^(?:can|could|might|may) (?:this|that|it|the|these)(?: \w+)?(?: {SOUNDS})? (?:be|come from|be coming from|be from|belong to|have come from|be made by|be caused by|be produced by|originate from|stem from)(?: the {SOUNDS} of)? (?P<x>.+)$",
        needs_phrase=True,
        false_premise=True,
    ),
    rule(
        "sound_presence",
        rf"^(?:is|are|was|were|does|do) (?:this|that|it|the|these) (?:\w+ )?(?:{SOUNDS}) (?:of |from |like |made by |coming from |come from |caused by |produced by |contain |include |have )?(?P<x>.+)$",
        needs_phrase=True,
    ),
    rule(
        "sound_presence",
        r"^(?:is|does|did) (?:this|that|it) (?:the sound of|sound like|sounding like|a sound of|the noise of) (?P<x>.+)$",
        needs_phrase=True,
    ),
    rule(
        "sound_presence",
        rf"^{A}(?P<no> not)? there(?P<no2> no)? (?:any |a |an |some |the )?(?:sounds? |noises? )?(?:of )?(?P<x>.+)$",
        needs_phrase=True,
        heard=True,
    ),
    rule(
        "sound_presence",
        rf"^(?:is|are|does|do|did|was|were) (?P<x>.+?) (?P<verb>{VERBS})(?: \w+)?$",
        needs_phrase=True,
    ),
)
