"""The sentence patterns, tried in order; the first that fits gives the intent.

The group ``x`` holds the noun phrases, ``verb`` what is heard, ``no`` a negation, ``value`` and
``attribute`` what an attribute question asks about. Every pattern runs in linear time: no repeated
group holds another repetition.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from deixis.graphs.rules import lexicon as lex

OPENERS = frozenset(
    "please hey hi hello ok okay well so now then deixis and but also pls plz um uh thanks".split()
)
POLITE = re.compile(
    r"(?:(?:can|could|would|will) you (?:please |kindly |also )?(?:tell|show|let|help) (?:me|us)(?: know| to)? (?=[^ ])"
    r"|(?:i want|i would like|i need|i wanted|i wish|i am trying)(?: you)? to (?:know|see|ask|learn|find out) "
    r"|i wonder(?:ed)? |i am wondering |do you know |do you have any idea |any idea |tell (?:me|us) (?=what|where|which|how|if|whether|who|when|is|are|does|do)"
    r"|(?:can|could|would|will) you (?:please |kindly |also |maybe )?(?=find|locate|point|segment|list|count|describe|name|highlight|mark|detect|identify|caption|outline|select|give|draw|explain|summari[sz]e|ground|box|circle)"
    r"|let me know |if |whether |(?:please|kindly) |i think |guess |question |given (?:this|the) (?:image|picture|photo|sound) )"
)

_MEDIA = "|".join(sorted(lex.PICTURE))
_SOUNDS = "sound|sounds|noise|noises|audio|recording|soundtrack|clip|track"
_HEAR = "hear|heard|hearing|audible|listen"
_VERBS = "|".join(sorted(set(lex.SOUND_VERBS)))
_SEE = "see|spot|find|notice|recogni[sz]e|detect|make out|observe|identify"
_MAKES = "make|makes|making|made|produce|produces|producing|produced|cause|causes|causing|caused|emit|emits|emitting|create|creates|creating|generate|generates|generating"
_COLOURS = "|".join(sorted(lex.COLOURS))
_BELONG = "belong|belongs|match|matches|matching|related|fit|fits|go together|goes together|correspond|corresponds|consistent|connected|same event|same scene|same thing|agree|unrelated|go with|goes with|linked|compatible"


class Rule(NamedTuple):
    """A pattern and what it means. `heard`: only where a sound is spoken of; `whole`: one expression."""

    intent: str
    pattern: re.Pattern[str]
    whole: bool = False
    needs_phrase: bool = False
    heard: bool = False
    attribute: str = ""
    false_premise: bool = False


def _rule(intent: str, pattern: str, **more: object) -> Rule:
    return Rule(intent, re.compile(pattern), **more)  # type: ignore[arg-type]


_A = r"(?:is|are|was|were)"
_ANY_DO = r"(?:do|can|could|did|does|will|might)"

RULES: tuple[Rule, ...] = (
    # Are the picture and the sound related?
    _rule("related", rf"\b(?:{_MEDIA}|video)\b.*\b(?:{_SOUNDS}).*\b(?:{_BELONG})\b"),
    _rule("related", rf"\b(?:{_SOUNDS})\b.*\b(?:{_MEDIA}|video)\b.*\b(?:{_BELONG})\b"),
    _rule(
        "related",
        rf"\b(?:{_BELONG})\b.*\b(?:{_SOUNDS})\b.*\b(?:{_MEDIA})\b|\b(?:{_BELONG})\b.*\b(?:{_MEDIA})\b.*\b(?:{_SOUNDS})\b",
    ),
    _rule(
        "related",
        rf"\b(?:{_SOUNDS})\b (?:{_BELONG}) (?:to |with )?(?:what|the|this|that)\b.*(?:{_MEDIA}|see)\b",
    ),
    _rule(
        "related",
        rf"^(?:{_A}|do|does) (?:they|these|those|the two|both|it|these two|those two)\b.*\b(?:{_BELONG})\b",
    ),
    _rule(
        "related",
        r"\b(?:relation|relationship|connection|link)\b.*\bbetween\b.*\b(?:image|picture|photo|sound|audio|them|two)\b",
    ),
    # What makes the sound?
    _rule(
        "source",
        rf"^(?:what|which|who)(?P<x> [^,]*?)?(?: {_A})?(?: it| that| responsible for)? (?:{_MAKES})\b.*\b(?:{_SOUNDS}|that|this|it)\b",
    ),
    _rule(
        "source",
        rf"\b(?:what|which thing|who) (?:{_A} )?(?:{_MAKES}) (?:the |this |that |these |such )?(?:\w+ ){{0,3}}(?:{_SOUNDS})\b",
    ),
    _rule(
        "source",
        rf"\bsources? of (?:the |this |that |these )?(?:\w+ ){{0,2}}(?:{_SOUNDS})\b|\b(?:sound|noise) source\b|\bsounding (?:object|thing)\b",
    ),
    _rule(
        "source",
        rf"^(?:where|what|which|who)\b.*\b(?:{_SOUNDS}|{_VERBS})\b.*\b(?:come|comes|coming|came|originate|originates)\b",
    ),
    _rule("source", rf"^(?:what|who|which)(?P<x> \w+)? {_A} (?P<verb>(?:{_VERBS}))$"),
    _rule(
        "source",
        rf"\b(?:thing|object|one|animal|instrument|what|whatever)s?(?: that| which)?(?: is| are)? (?:{_MAKES}|{_VERBS})\b.*\b(?:{_SOUNDS})\b",
    ),
    # When is it heard?
    _rule(
        "sound_when",
        rf"^(?:when|at (?:what|which) (?:time|second|moment)s?|how long|how often|from when)\b(?: {_ANY_DO})? (?:i|you|we|one) (?:{_HEAR}) (?P<x>.+)$",
    ),
    _rule(
        "sound_when",
        rf"^(?:when|at (?:what|which) (?:time|second|moment)s?|how long) (?:does|do|did|is|are|was|were) (?P<x>.+?)(?: start| begin| stop| end| first| being)?(?: to)? (?P<verb>{_VERBS})(?: \w+)?$",
        needs_phrase=True,
    ),
    _rule(
        "sound_when",
        rf"^(?:when|at (?:what|which) (?:time|second|moment)s?|how long) (?:is|are|can|was|were|does|do) (?P<x>.+?) (?:be |to be )?(?:{_HEAR}|start|starts|begin|stop|end|happen|occur|sound|last|appear)\b",
    ),
    _rule(
        "sound_when",
        rf"^(?:when|at (?:what|which) (?:time|second|moment)s?) (?:is|are|was|were) (?:there )?(?P<x>.+)$",
        heard=True,
        needs_phrase=True,
    ),
    # What is heard?
    _rule("hear", rf"^(?:what|which)(?: \w+){{0,3}} {_ANY_DO} (?:you|i|we|one) (?:{_HEAR})\b"),
    _rule("hear", rf"^(?:what|which)(?: \w+){{0,3}} (?:{_A} )?(?:be )?(?:to be )?(?:{_HEAR})\b"),
    _rule(
        "hear",
        rf"^what {_ANY_DO} (?:the |this |that )?(?:it|{_SOUNDS}) (?:sound like|contain|have)\b|^what does (?:it|this|that) sound like",
    ),
    _rule("hear", rf"^(?:what|which)(?: kinds? of| types? of| sorts? of| other)? (?:{_SOUNDS})\b"),
    _rule(
        "hear",
        rf"^what (?:{_A}|{_A} happening|{_A} going on|happens) (?:there )?(?:in|on|behind) (?:the |this |that )?(?:\w+ )?(?:{_SOUNDS})$",
    ),
    _rule("hear", rf"^what (?:{_A}) (?:the |this |that |these )(?:\w+ )?(?:{_SOUNDS})$"),
    _rule(
        "hear",
        rf"^(?:describe|identify|caption|classify|list|name|explain|transcribe|summari[sz]e|tell me about|listen to|recogni[sz]e)\b.*\b(?:{_SOUNDS}|hear)\b(?! *and)",
    ),
    _rule(
        "hear",
        rf"^(?:tell me )?what (?:you|i|we) (?:can )?hear\b|^listen\b|^{_ANY_DO} (?:you|i|we) hear(?: it| this| that| anything| something)?$|^is (?:there )?(?:anything|something)(?: to be)? (?:{_HEAR})",
    ),
    # Is it heard?
    _rule(
        "sound_presence",
        rf"^{_ANY_DO}(?P<no> not)? (?:you|i|we|one) (?:also )?hear (?P<x>.+)$",
        needs_phrase=True,
    ),
    _rule(
        "sound_presence",
        rf"^(?:can|could|is|are|was|were) (?P<x>.+?) (?:be |being )?(?:heard|audible)\b",
        needs_phrase=True,
    ),
    _rule(
        "sound_presence",
        rf"^(?:can|could|might|may) (?:this|that|it|the|these)(?: \w+)?(?: {_SOUNDS})? (?:be|come from|be coming from|be from|belong to|have come from|be made by|be caused by|be produced by|originate from|stem from)(?: the {_SOUNDS} of)? (?P<x>.+)$",
        needs_phrase=True,
        false_premise=True,
    ),
    _rule(
        "sound_presence",
        rf"^(?:is|are|was|were|does|do) (?:this|that|it|the|these) (?:\w+ )?(?:{_SOUNDS}) (?:of |from |like |made by |coming from |come from |caused by |produced by |contain |include |have )?(?P<x>.+)$",
        needs_phrase=True,
    ),
    _rule(
        "sound_presence",
        r"^(?:is|does|did) (?:this|that|it) (?:the sound of|sound like|sounding like|a sound of|the noise of) (?P<x>.+)$",
        needs_phrase=True,
    ),
    _rule(
        "sound_presence",
        rf"^{_A}(?P<no> not)? there(?P<no2> no)? (?:any |a |an |some |the )?(?:sounds? |noises? )?(?:of )?(?P<x>.+)$",
        needs_phrase=True,
        heard=True,
    ),
    _rule(
        "sound_presence",
        rf"^(?:is|are|does|do|did|was|were) (?P<x>.+?) (?P<verb>{_VERBS})(?: \w+)?$",
        needs_phrase=True,
    ),
    # How many?
    _rule(
        "count",
        r"\bhow many (?:of )?(?P<x>.+?)(?: (?:are|is|do|can|could|does|did|were|was|have|has|appear|exist|you|i|we)\b.*)?$",
        needs_phrase=True,
    ),
    _rule(
        "count",
        r"\b(?:number|amount|count|quantity) of (?P<x>.+?)(?: (?:are|is|do|can|you)\b.*)?$",
        needs_phrase=True,
    ),
    _rule("count", r"^count (?:up |out )?(?P<x>.+)$", needs_phrase=True),
    # What colour?
    _rule(
        "attribute",
        rf"^(?:what|which) (?P<attribute>colou?r)s?(?: \w+)? (?:{_A}|does|do|has|have) (?P<x>.+?)(?: have| painted| wearing)?$",
        needs_phrase=True,
    ),
    _rule(
        "attribute",
        rf"^what (?:{_A}) (?:the )?(?P<attribute>colou?r|size|shape|material|breed|brand|texture|age|height|width)s? of (?P<x>.+)$",
        needs_phrase=True,
    ),
    _rule(
        "attribute",
        rf"^(?:what|which) (?P<attribute>size|shape|material|breed|brand|kind|type|sort|make|model|species|style)(?: of)? (?P<x>.+?)(?: (?:is|are|was|does|do)\b.*)?$",
        needs_phrase=True,
    ),
    _rule(
        "attribute",
        rf"^how (?P<attribute>big|large|small|tall|wide|long|high|old|far|heavy|deep) {_A} (?P<x>.+)$",
        needs_phrase=True,
    ),
    _rule(
        "attribute",
        rf"^{_A}(?P<no> not)? (?P<x>(?:the|this|that|these|those|his|her|their|its) .+?) (?P<value>{_COLOURS})(?: in colou?r)?$",
        needs_phrase=True,
        attribute="colour",
    ),
    # Where?
    _rule(
        "where",
        rf"^where(?:abouts)?(?: exactly| in the (?:{_MEDIA}))? (?:{_A}|{_ANY_DO})(?: i| you| we| one)?(?: (?:{_SEE}))? (?!this$|that$|it$|we$|i$|you$)(?P<x>(?!.*\b(?:taken|made|shot|filmed)\b).+?)(?: (?:located|placed|positioned|standing|sitting|hiding|be found|be seen|situated))?$",
        needs_phrase=True,
    ),
    _rule(
        "where",
        rf"^what (?:{_A}) the (?:exact )?(?:location|position|place|coordinates|bounding box(?:es)?|box) (?:of|for|around) (?P<x>.+)$",
        needs_phrase=True,
    ),
    _rule(
        "where",
        rf"^(?:in|on|at|to) (?:which|what) (?:part|side|area|corner|half|region|position|place)(?: of the (?:{_MEDIA}))? (?:{_A}|{_ANY_DO})(?: i| you)?(?: (?:{_SEE}))? (?P<x>.+)$",
        needs_phrase=True,
    ),
    _rule(
        "where", r"^where (?P<x>(?!.*\b(?:taken|made|shot)\b).+?) (?:is|are)(?: located)?$", needs_phrase=True
    ),
    # What is here?
    _rule("list", rf"^what (?:else )?{_ANY_DO} (?:you|i|we|one) (?:{_SEE})\b"),
    _rule(
        "list",
        rf"^(?:tell me |say |name |list )?(?:what|everything|all|anything)(?: that)? (?:you|i|we) (?:can )?(?:{_SEE})\b",
    ),
    _rule(
        "list",
        rf"^what (?:else )?(?:{_A}|can be seen|{_A} (?:seen|visible|shown|depicted|present|there|here|displayed))(?: \w+){{0,2}}? ?(?:here|there|visible|(?:in|on) (?:the |this |that |my )?(?:\w+ )?(?:{_MEDIA}))$",
    ),
    _rule(
        "list",
        rf"^(?:what|which)(?: kinds? of| types? of| sorts? of| different| other)? (?P<x>\w+(?: \w+)?) (?:{_A}|can|do|appear)(?: you| i| we| there)?(?: (?:be )?(?:{_SEE}|seen|visible|shown|present|depicted|here|there|on display))?(?: (?:in|on) (?:the |this )?(?:{_MEDIA})| here| there)?$",
    ),
    _rule(
        "list",
        rf"^(?:list|name|enumerate|inventory)\b(?: (?:all|every))?(?: (?:the|of the))?(?: (?:objects|things|items|everything))?(?P<x>.*)$",
    ),
    _rule(
        "list",
        rf"^(?:show me|find|detect|point (?:at|to)|locate|segment|label|ground|identify|what about) (?:everything|all (?:the )?(?:objects|things|items)|all)(?: (?:in|on) .*| here| you see)?$",
    ),
    # Find it, point at it, which one.
    _rule(
        "which",
        r"^(?:find|locate|segment(?: out)?|point(?: me)?(?: out| at| to| towards)?|show(?: me)?|highlight|mark|select|detect|ground|outline|circle|pick(?: out)?|look for|search for|crop(?: out)?|cut out|track|click(?: on)?|tap(?: on)?|spot|box|identify|indicate|localize|localise|draw (?:a |the )?(?:bounding )?(?:box|rectangle|outline|mask|circle)(?:es)? (?:around|on|for|of)|give me (?:the )?(?:bounding )?(?:box|mask|location|position|segmentation)(?:es|s)? (?:of|for|around)|put a (?:box|circle) around)(?: where)? (?:is |are )?(?P<x>.+?)$",
        whole=True,
        needs_phrase=True,
    ),
    _rule("which", rf"^which (?:one )?(?:of (?:the|these|those) )?(?P<x>.+)$", whole=True, needs_phrase=True),
    _rule(
        "which",
        rf"^what (?:{_A}) (?P<x>(?:on|in|at|to|next to|behind|under|above|near|beside|between|in front of|below|over|inside) (?!the (?:{_MEDIA})|this|that|it\b).+)$",
        whole=True,
        needs_phrase=True,
    ),
    _rule(
        "which",
        r"^(?P<x>(?:what|who) (?:is|are) (?:the |this |that )?\w+(?: \w+)? (?:holding|riding|wearing|carrying|eating|using))$",
        whole=True,
        needs_phrase=True,
    ),
    # Is it there?
    _rule("presence", rf"^{_A}(?P<no> not)? there (?P<no2>no )?(?P<x>.+)$", needs_phrase=True),
    _rule("presence", rf"^there (?:is|are)(?P<no> not)? (?P<no2>no )?(?P<x>.+)$", needs_phrase=True),
    _rule(
        "presence",
        rf"^{_ANY_DO}(?P<no> not)? (?:you|i|we|one|anyone) (?:also |actually |really )?(?:{_SEE}) (?P<x>.+)$",
        needs_phrase=True,
    ),
    _rule(
        "presence",
        rf"^(?:does|do|did)(?P<no> not)? (?:the |this |that |these )?(?:{_MEDIA}|it)(?: also)? (?:contain|show|have|include|depict|feature|display)s? (?P<x>.+)$",
        needs_phrase=True,
    ),
    _rule(
        "presence",
        rf"^(?:is|are|can)(?P<no> not)? (?P<x>.+?) (?:be )?(?:(?:here|there|visible|present|seen|shown|depicted)|in (?:the |this |that )?(?:{_MEDIA}))(?: (?:in|on) .*)?$",
        needs_phrase=True,
    ),
    _rule(
        "presence",
        rf"^(?:is|are)(?P<no> not)? (?:this|that|it|these|those)(?: (?:{_MEDIA}) (?:of|showing))? (?P<x>(?:a|an|the|some|any) .+)$",
        needs_phrase=True,
    ),
    _rule("presence", rf"^{_A}(?P<no> not)? (?P<x>(?:a|an|any|some) .+)$", needs_phrase=True),
    _rule(
        "presence",
        rf"^{_A}(?P<no> not)? (?P<x>(?:the|this|that|these|those) .+? (?:on|in|under|behind|next to|near|beside|above|below|between|holding|wearing|riding|left of|right of|to the left of|to the right of) .+)$",
        needs_phrase=True,
    ),
    _rule("presence", r"^(?:any|got any|see any|see a|see an) (?P<x>.+)$", needs_phrase=True),
    # Describe.
    _rule(
        "describe",
        r"^(?:describe|caption|summari[sz]e)(?: (?:this|that|it|what (?:you|i|we) (?:can )?see.*))?$",
    ),
    _rule(
        "describe",
        rf"^(?:describe|caption|summari[sz]e|tell me about|explain|talk about|comment on|give (?:me )?(?:a |an )?(?:\w+ )?(?:description|caption|summary|overview) (?:of|for))\b.*\b(?:{_MEDIA}|{_SOUNDS}|video|see)\b",
    ),
    _rule("describe", r"^(?:describe|tell me about|talk about) (?P<x>.+)$"),
    _rule(
        "describe",
        rf"^what (?:{_A}|s|happens)? ?(?:happening|going on|this|that|it|up|happens|shown|depicted)\b(?: (?:here|about|in .*|on .*|showing))?$",
    ),
    _rule(
        "describe",
        rf"^what (?:{_A}|does|do) (?:the |this |that |these )?(?:{_MEDIA})(?: (?:about|of|show|shows|showing|depict|contain|have))?$",
    ),
    _rule("describe", r"^(?:description|caption|summary|overview|anything|hello|hi|test|look)$"),
)
