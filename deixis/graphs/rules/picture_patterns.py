"""Sentence patterns about pictures, tried in order after those about sounds.

The group ``x`` holds the noun phrases, ``no`` a negation, ``value`` and ``attribute`` what an
attribute question asks about.
"""

# ruff: noqa: E501 - a pattern is easier to read on one line than in pieces

from __future__ import annotations

from deixis.graphs.rules.patterns import ANY_DO, COLOURS, MEDIA, SEE, SOUNDS, A, Rule, rule

PICTURE_RULES: tuple[Rule, ...] = (
    # How many?
    rule(
        "count",
        r"\bhow many (?:of )?(?P<x>.+?)(?: (?:are|is|do|can|could|does|did|were|was|have|has|appear|exist|you|i|we)\b.*)?$",
        needs_phrase=True,
    ),
    rule(
        "count",
        r"\b(?:number|amount|count|quantity) of (?P<x>.+?)(?: (?:are|is|do|can|you)\b.*)?$",
        needs_phrase=True,
    ),
    rule("count", r"^count (?:up |out )?(?P<x>.+)$", needs_phrase=True),
    # What colour?
    rule(
        "attribute",
        rf"^(?:what|which) (?P<attribute>colou?r)s?(?: \w+)? (?:{A}|does|do|has|have) (?P<x>.+?)(?: have| painted| wearing)?$",
        needs_phrase=True,
    ),
    rule(
        "attribute",
        rf"^what (?:{A}) (?:the )?(?P<attribute>colou?r|size|shape|material|breed|brand|texture|age|height|width)s? of (?P<x>.+)$",
        needs_phrase=True,
    ),
    rule(
        "attribute",
        r"^(?:what|which) (?P<attribute>size|shape|material|breed|brand|kind|type|sort|make|model|species|style)(?: of)? (?P<x>.+?)(?: (?:is|are|was|does|do)\b.*)?$",
        needs_phrase=True,
    ),
    rule(
        "attribute",
        rf"^how (?P<attribute>big|large|small|tall|wide|long|high|old|far|heavy|deep) {A} (?P<x>.+)$",
        needs_phrase=True,
    ),
    rule(
        "attribute",
        rf"^{A}(?P<no> not)? (?P<x>(?:the|this|that|these|those|his|her|their|its) .+?) (?P<value>{COLOURS})(?: in colou?r)?$",
        needs_phrase=True,
        attribute="colour",
    ),
    # Where?
    rule(
        "where",
        rf"^where(?:abouts)?(?: exactly| in the (?:{MEDIA}))? (?:{A}|{ANY_DO})(?: i| you| we| one)?(?: (?:{SEE}))? (?!this$|that$|it$|we$|i$|you$)(?P<x>(?!.*\b(?:taken|made|shot|filmed)\b).+?)(?: (?:located|placed|positioned|standing|sitting|hiding|be found|be seen|situated))?$",
        needs_phrase=True,
    ),
    rule(
        "where",
        rf"^what (?:{A}) the (?:exact )?(?:location|position|place|coordinates|bounding box(?:es)?|box) (?:of|for|around) (?P<x>.+)$",
        needs_phrase=True,
    ),
    rule(
        "where",
        rf"^(?:in|on|at|to) (?:which|what) (?:part|side|area|corner|half|region|position|place)(?: of the (?:{MEDIA}))? (?:{A}|{ANY_DO})(?: i| you)?(?: (?:{SEE}))? (?P<x>.+)$",
        needs_phrase=True,
    ),
    rule(
        "where", r"^where (?P<x>(?!.*\b(?:taken|made|shot)\b).+?) (?:is|are)(?: located)?$", needs_phrase=True
    ),
    # What is here?
    rule("list", rf"^what (?:else )?{ANY_DO} (?:you|i|we|one) (?:{SEE})\b"),
    rule(
        "list",
        rf"^(?:tell me |say |name |list )?(?:what|everything|all|anything)(?: that)? (?:you|i|we) (?:can )?(?:{SEE})\b",
    ),
    rule(
        "list",
        rf"^(?!.*(?:happening|going on))what (?:else )?(?:{A}|can be seen|{A} (?:seen|visible|shown|depicted|present|there|here|displayed))(?: \w+){{0,2}}? ?(?:here|there|visible|(?:in|on) (?:the |this |that |my )?(?:\w+ )?(?:{MEDIA}))$",
    ),
    rule(
        "list",
        rf"^(?:what|which)(?: kinds? of| types? of| sorts? of| different| other)? (?P<x>\w+(?: \w+)?) (?:{A}|can|do|appear)(?: you| i| we| there)?(?: (?:be )?(?:{SEE}|seen|visible|shown|present|depicted|here|there|on display))?(?: (?:in|on) (?:the |this )?(?:{MEDIA})| here| there)?$",
    ),
    rule(
        "list",
        r"^(?:list|name|enumerate|inventory)\b(?: (?:all|every))?(?: (?:the|of the))?(?: (?:objects|things|items|everything))?(?P<x>.*)$",
    ),
    rule(
        "list",
        r"^(?:show me|find|detect|point (?:at|to)|locate|segment|label|ground|identify|what about) (?:everything|all (?:the )?(?:objects|things|items)|all)(?: (?:in|on) .*| here| you see)?$",
    ),
    # Find it, point at it, which one.
    rule(
        "which",
        r"^(?:find|locate|segment(?: out)?|point(?: me)?(?: out| at| to| towards)?|show(?: me)?|highlight|mark|select|detect|ground|outline|circle|pick(?: out)?|look for|search for|crop(?: out)?|cut out|track|click(?: on)?|tap(?: on)?|spot|box|identify|indicate|localize|localise|draw (?:a |the )?(?:bounding )?(?:box|rectangle|outline|mask|circle)(?:es)? (?:around|on|for|of)|give me (?:the )?(?:bounding )?(?:box|mask|location|position|segmentation)(?:es|s)? (?:of|for|around)|put a (?:box|circle) around)(?: where)? (?:is |are )?(?P<x>.+?)$",
        whole=True,
        needs_phrase=True,
    ),
    rule(
        "which",
        r"^(?:give|show|draw|make|get)(?: me)? (?:the |a )?(?:mask|outline|box|contour)s? (?:of|for|around) (?P<x>.+)$",
        whole=True,
        needs_phrase=True,
    ),
    rule("which", r"^which (?:one|thing) (?:is|are) (?P<x>.+)$", whole=True, needs_phrase=True),
    rule("which", r"^which (?:one )?(?:of (?:the|these|those) )?(?P<x>.+)$", whole=True, needs_phrase=True),
    rule(
        "which",
        rf"^what (?:{A}) (?P<x>(?:on|in|at|to|next to|behind|under|above|near|beside|between|in front of|below|over|inside) (?!the (?:{MEDIA})|this|that|it\b).+)$",
        whole=True,
        needs_phrase=True,
    ),
    rule(
        "which",
        r"^(?P<x>(?:what|who) (?:is|are) (?:the |this |that )?\w+(?: \w+)? (?:holding|riding|wearing|carrying|eating|using))$",
        whole=True,
        needs_phrase=True,
    ),
    # Is it there?
    rule("presence", rf"^{A}(?P<no> not)? there (?P<no2>no )?(?P<x>.+)$", needs_phrase=True),
    rule("presence", r"^there (?:is|are)(?P<no> not)? (?P<no2>no )?(?P<x>.+)$", needs_phrase=True),
    rule(
        "presence",
        rf"^{ANY_DO}(?P<no> not)? (?:you|i|we|one|anyone) (?:also |actually |really )?(?:{SEE}) (?P<x>.+)$",
        needs_phrase=True,
    ),
    rule(
        "presence",
        rf"^(?:does|do|did)(?P<no> not)? (?:the |this |that |these )?(?:{MEDIA}|it)(?: also)? (?:contain|show|have|include|depict|feature|display)s? (?P<x>.+)$",
        needs_phrase=True,
    ),
    rule(
        "presence",
        rf"^(?:is|are|can)(?P<no> not)? (?P<x>.+?) (?:be )?(?:(?:here|there|visible|present|seen|shown|depicted)|in (?:the |this |that )?(?:{MEDIA}))(?: (?:in|on) .*)?$",
        needs_phrase=True,
    ),
    rule(
        "presence",
        rf"^(?:is|are)(?P<no> not)? (?:this|that|it|these|those)(?: (?:{MEDIA}) (?:of|showing))? (?P<x>(?:a|an|the|some|any) .+)$",
        needs_phrase=True,
    ),
    rule("presence", rf"^{A}(?P<no> not)? (?P<x>(?:a|an|any|some) .+)$", needs_phrase=True),
    rule(
        "presence",
        rf"^{A}(?P<no> not)? (?P<x>(?:the|this|that|these|those) .+? (?:on|in|under|behind|next to|near|beside|above|below|between|holding|wearing|riding|left of|right of|to the left of|to the right of) .+)$",
        needs_phrase=True,
    ),
    rule("presence", r"^(?:any|got any|see any|see a|see an) (?P<x>.+)$", needs_phrase=True),
    # Describe.
    rule(
        "describe",
        r"^(?:describe|caption|summari[sz]e)(?: (?:this|that|it|what (?:you|i|we) (?:can )?see.*))?$",
    ),
    rule(
        "describe",
        rf"^(?:describe|caption|summari[sz]e|tell me about|explain|talk about|comment on|give (?:me )?(?:a |an )?(?:\w+ )?(?:description|caption|summary|overview) (?:of|for))\b.*\b(?:{MEDIA}|{SOUNDS}|video|see)\b",
    ),
    rule("describe", r"^(?:describe|tell me about|talk about) (?P<x>.+)$"),
    rule(
        "describe",
        rf"^what (?:{A}|s|happens)? ?(?:happening|going on|this|that|it|up|happens|shown|depicted)\b(?: (?:here|about|in .*|on .*|showing))?$",
    ),
    rule(
        "describe",
        rf"^what (?:{A}|does|do) (?:the |this |that |these )?(?:{MEDIA})(?: (?:about|of|show|shows|showing|depict|contain|have))?$",
    ),
    rule("describe", r"^(?:description|caption|summary|overview|anything|hello|hi|test|look)$"),
)
