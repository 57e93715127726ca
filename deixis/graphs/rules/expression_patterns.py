"""The patterns of a referring expression: cues that are taken out of it, and words between two things.

They run over case-folded words joined by single blanks, with a blank at both ends.
"""

# ruff: noqa: E501 - a pattern is easier to read on one line than in pieces

from __future__ import annotations

import re

from deixis.graphs.rules import lexicon as lex

INTENSIFIER = re.compile(
    r" (?:right|just|directly|immediately|all) (?=(?:next|behind|in front|by|beside|above|below|under|near|the way) )"
)
GAZE = re.compile(
    r" (?:facing|looking|turned|turning|pointing|leaning|heading|staring|glancing|gazing|walking|reaching|bending"
    r"|running|going|moving)"
    r"(?: (?:to|at|toward|towards|the|his|her|their|your|our|directly|away|from|off))* "
    r"(?:left|right|back|front|forward|away|up|down|camera|us|me|you|viewer|over|backwards|forwards|side|sideways)\b"
)
BODY = re.compile(
    r" (?:(?:in|with|on|by|using) )?(?:his|her|their|its|the man is|the woman is)(?: own)? (?:left|right|back)"
    r"(?: (?:hand|arm|leg|foot|side|shoulder|ear|eye|knee))?(?= )"
)
BACK = re.compile(
    r" (?:with )?(?:his |her |their |its |the )?backs?(?: turned)? (?:to|toward|towards) (?:us|me|you|the camera|camera)\b"
)
FROM = r"(?:the )?(?:very |far )?(?P<side>left|right|top|bottom|front|back)(?= )"
FILLER = r"(?: (?!from |to the |in from |on |in )[^ ,.;]+){0,3}?"
ORDER = re.compile(
    rf" (?P<n>{'|'.join(lex.ORDINALS)}){FILLER} (?:in |over |back |down |one )?(?:from|on|to|in) {FROM}"
)
COUNTED = re.compile(rf" (?P<n>{'|'.join(lex.NUMBERS)}){FILLER} (?:in |over |down )?from {FROM}")
ORDER_SIDE = re.compile(r" (?P<n>second|2nd|third|3rd|fourth|4th) (?P<side>left|right)(?= )")
SECOND_LAST = re.compile(r" (?:second|2nd|next) to (?:the )?last(?= )")
ORDER_BARE = re.compile(rf" (?P<n>{'|'.join(lex.ORDINALS)}) (?!row |base |floor |shelf |level )")
ROW = re.compile(r" (?P<n>first|1st|last) (?:row|line|shelf|level)(?= )")
CUT = re.compile(
    r" (?:partially |partly |half |mostly )?(?:cut off|cutoff|cropped(?: out| off)?|out of (?:frame|the frame|picture|view)"
    r"|half out of|off (?:the )?(?:frame|screen|picture)|(?:partial|half)(?= (?:person|man|woman|guy|face|body|car)))(?= )"
)
SPELLING = (
    (re.compile(r" (?:t|tee) shirt(?=s? )"), " tshirt"),
    (re.compile(r" s (?:back|head|face|hand|arm|lap|leg|shoulder|neck|mouth|hair|ear|body)(?= )"), ""),
    (re.compile(r" s(?= )"), ""),
    (re.compile(r"^ (?:this|it|there|that|here) (?:is|are)(?= )"), ""),
)
"""Expressions are often stored with loose marks: "t - shirt", "lady ' s head"."""
FAR = re.compile(
    r" (?:furthest|farthest|further|closest|nearest|closer|most)(?: to)?(?: the)? (?=left|right|top|bottom|back|front)"
)
HELD = re.compile(
    r"^ (?:what|which thing) (?:is|are) (?P<who>.+) (?:holding|riding|wearing|carrying|eating|using|pushing|pulling) $"
)
NOT = re.compile(
    r" (?:but |and )?not (?P<rest>\w+ing(?: (?!on |in |at |to |with |and )[^ ,.;]+){0,3}(?=[ ,.;])|[^,.;]+)"
)

BETWEEN_SIDE = r"(?:the )?(?:far |immediate |direct |very |upper |lower )?"
RELATIONS: list[tuple[str, str]] = [
    ("left", rf"(?:(?:on|to|at|in) )?{BETWEEN_SIDE}left(?: hand)?(?: side| end| edge| part| corner)? (?:of|from)"),
    ("right", rf"(?:(?:on|to|at|in) )?{BETWEEN_SIDE}right(?: hand)?(?: side| end| edge| part| corner)? (?:of|from)"),
    ("middle", r"(?:in|at|on) (?:the )?(?:very )?(?:middle|center|centre) of"),
    ("on", r"on top of"),
    ("top", r"(?:(?:at|on|in|near|towards?) )?(?:the )?(?:very )?top(?: side| part| edge)? of"),
    ("bottom", r"(?:(?:at|on|in|near|towards?) )?(?:the )?(?:very )?bottom(?: side| part| edge)? of"),
    ("front", r"(?:in|at) (?:the )?(?:very )?front of|in the foreground of|ahead of|blocking"),
    ("behind", r"in back of|at the back of|in the back of|behind|in the background of"),
    ("between", r"in ?between|between|among|amongst|surrounded by|in the midst of"),
    ("near", r"(?:right )?next to|beside|besides|near|nearest(?: to)?|nearby|close to|closer to|closest to|alongside"
             r"|adjacent to|across from|opposite|against|by|around|at|touching|watching|looking at|facing|along"),
    ("above", r"above|over"),
    ("below", r"below|under|underneath|beneath"),
    ("holding", r"holding(?: onto| on to)?|carrying|using|swinging|throwing|eating|drinking|riding|feeding|petting"
                r"|pulling|pushing|wielding|hugging|cutting|flying|playing with|playing|talking on|with a hand on"),
    ("on", r"(?:sitting|standing|laying|lying|seated|resting|riding|sits|parked|perched|placed)(?: down| up)? (?:in|on|at|upon|atop|inside)"
           r"|on|upon|atop|onto|off"),
    ("in", r"in|inside|into|within|wearing|wears|dressed in|through"),
    ("without", r"without|with no|no"),
    ("with", r"with|has|have|having|containing|full of|filled with|w|that says|showing|made of|covered in|covered with"),
    ("from", r"(?:further|farther|furthest|farthest|away) from|from"),
    ("and", r"and(?= (?:the|a|an) )"),
    ("more", r"that is|who is|which is|that are|who are|that has|who has|that|who|which|where|is|are|was"
             r"|trying to|about to|getting|being|to|while|as|and is|and has|, "),
]  # fmt: skip
RELATION = re.compile(
    " (?:"
    + "|".join(f"(?P<k{i}_{kind}>{forms})" for i, (kind, forms) in enumerate(RELATIONS))
    + "|(?P<mark>[,.;:!?]))(?= )"
)
DOING = re.compile(r"\w{2,}ing$")
NOT_DOING = frozenset(
    """building ceiling painting string wedding awning railing dining living ring wing king thing something
    anything swing spring morning evening sibling pudding dressing frosting icing clothing baking parking
    shopping washing frying mixing rocking
    sling earring stuffing lightning drawing plumbing duckling wing reading flooring rolling""".split()
)
PERSON_LINKS = frozenset({"in", "with", "holding", "without"})
