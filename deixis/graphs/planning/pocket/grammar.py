"""What may come next, as a grammar over tokens: only steps that can be read and carried out come out.

llguidance holds the model to it. The grammar is made anew for each step, for what may be called, and which
numbers may be named, depends on what was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from deixis.errors import MissingExtra
from deixis.learned.mllm.tokens import (
    CALL,
    CALLS,
    COORDINATES,
    EDGES,
    END,
    END_CALL,
    END_REF,
    MEDIA,
    PROPOSALS,
    REF,
    SPECIAL,
    STEPS,
    TIMES,
)
from deixis.trace import StepKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PARTS = 110
"""Words and references of one step; SCOUT's longest has 80."""
MOST_WORDS, MOST_PHRASES, MOST_REGIONS = 10, 12, 10
ROLES_OF = {"find": ("tagging", "detection"), "locate": ("detection",), "outline": ("segmentation",),
            "listen": ("hearing",), "relate": ("matching",)}  # fmt: skip
"""What a step of each kind calls, as in SCOUT; kinds that are not here call nothing."""
THINKING: tuple[StepKind, ...] = ("find", "locate", "outline", "listen", "relate", "select")
EVERYTHING, APART = "everything", ";"


@dataclass(frozen=True)
class Allowed:
    """What the next step may be.

    Attributes:
        roles: that may be called.
        boxes: proposals on offer.
        pictures, sounds: of the run.
        steps: other steps than the answer may come.
        points: words may point.
    """

    roles: tuple[str, ...] = ()
    boxes: int = 0
    pictures: int = 0
    sounds: int = 0
    steps: bool = True
    points: bool = True


class Grammar:
    """The tokens of one tokenizer as llguidance knows them.

    Sets of tokens are lexemes to it, and two of them must not overlap: each token is in one set alone, and
    rules put the sets together.

    Raises:
        MissingExtra: llguidance is not installed.
    """

    def __init__(self, tokenizer: Any) -> None:
        try:
            import llguidance
        except ImportError as error:
            raise MissingExtra(
                "learned", "llguidance", "Holding the pocket planner to its grammar"
            ) from error
        self._guidance = llguidance
        self._number = {token: int(number) for token, number in tokenizer.get_vocab().items()}
        self._size = len(tokenizer)
        odd = {*SPECIAL, *COORDINATES, *PROPOSALS, EVERYTHING, APART}
        plain = {token: number for token, number in self._number.items() if token not in odd}
        whole = {token: number for token, number in plain.items() if token[:2] != "##"}
        self._sets = {
            "letters": _ranges(number for token, number in whole.items() if token[0].isalnum()),
            "signs": _ranges(number for token, number in whole.items() if not token[0].isalnum()),
            "pieces": _ranges(number for token, number in plain.items() if token not in whole),
            "every": self._one(EVERYTHING),
            "apart": self._one(APART),
            "end": self._one(END),
            "calls": self._one(CALL),
            "end_call": self._one(END_CALL),
            "ref": self._one(REF),
            "end_ref": self._one(END_REF),
            **{f"k_{kind}": self._one(STEPS[kind]) for kind in THINKING},
            "k_answer": self._one(STEPS["answer"]),
            **{f"r_{role}": self._one(token) for role, token in CALLS.items()},
            **{f"m_{place}": self._one(token) for place, token in enumerate(MEDIA, 1)},
            **{
                family: _ranges(self._number[one] for one in COORDINATES if one.startswith(f"<{family}_"))
                for family in (*EDGES, *TIMES)
            },
        }
        self._known = llguidance.LLTokenizer(llguidance.TokenizerWrapper(_Numbers(tokenizer)))

    def held(self, what: Literal["words", "step"], allowed: Allowed) -> Held:
        """Returns what holds a model to the words of a step, or to a whole next step."""
        text = self.lark(what, allowed)
        matcher = self._guidance.LLMatcher(self._known, self._guidance.LLMatcher.grammar_from_lark(text))
        if matcher.get_error():
            raise RuntimeError(f"the grammar of a step is broken: {matcher.get_error()}")
        return Held(matcher, self._size)

    def lark(self, what: Literal["words", "step"], allowed: Allowed) -> str:
        """Returns the grammar in Lark's notation; tokens stand in it by their numbers."""
        numbers = allowed.boxes and _ranges(self._number[one] for one in PROPOSALS[: allowed.boxes])
        called = {
            f"by_{kind}": [f"call_{role}" for role in roles if role in allowed.roles]
            for kind, roles in ROLES_OF.items()
        }
        called = {name: calls for name, calls in called.items() if calls}
        others = ["thinking", *called] if allowed.steps else []
        rules = {
            "start": "words" if what == "words" else " | ".join(["answering", *others]),
            "answering": "k_answer words",
            "thinking": f"({' | '.join(f'k_{kind}' for kind in THINKING)}) words",
            "words": f"part{{1,{MOST_PARTS}}} end",
            "tail": "pieces{0,20}",
            "word": f"(letters | signs | every | apart{' | numbers' if numbers else ''}) tail",
            "phrase": f"((letters | every) tail){{1,{MOST_WORDS}}}",
            **{name: f"k_{name[3:]} calls ({' | '.join(calls)}) end_call" for name, calls in called.items()},
            **self._calls(allowed),
            **self._parts(allowed),
            **({"numbers": numbers} if numbers else {}),
        }
        used = self._reached(rules)
        return "".join(f"{name}: {rule}\n" for name, rule in {**rules, **self._sets}.items() if name in used)

    def _reached(self, rules: dict[str, str]) -> set[str]:
        """Returns the names of the rules and sets that are of use."""
        every = {**rules, **self._sets}
        found: set[str] = set()
        waiting = ["start"]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [word for word in re.findall(r"[a-z_]\w*", every[name]) if word in every]
        return found

    @staticmethod
    def _calls(allowed: Allowed) -> dict[str, str]:
        pictures, sounds = _medium(allowed.pictures), _medium(allowed.sounds)
        return {
            "call_detection": f"r_detection {pictures} (every | phrase (apart phrase){{0,{MOST_PHRASES}}})",
            "call_tagging": f"r_tagging {pictures}",
            "call_hearing": f"r_hearing {sounds}",
            "call_segmentation": f"r_segmentation {pictures} place (apart place){{0,{MOST_REGIONS}}}",
            "call_matching": "r_matching",
        }

    @staticmethod
    def _parts(allowed: Allowed) -> dict[str, str]:
        numbers = ["numbers"] if allowed.boxes else []
        places = [*numbers, " ".join(EDGES)] if allowed.pictures else []
        regions = [*places, *([" ".join(TIMES)] if allowed.sounds else [])]
        many = _medium(max(allowed.pictures, allowed.sounds))
        behind = f"{many} region{{0,{MOST_REGIONS}}}" if regions else ""
        rules = {"part": f"word | ref word{{1,{MOST_WORDS}}} end_ref {behind}" if allowed.points else "word"}
        rules |= {"place": " | ".join(places)} if places else {}
        return rules | ({"region": " | ".join(regions)} if regions else {})

    def _one(self, token: str) -> str:
        return _ranges([self._number[token]])


def _medium(many: int) -> str:
    """Returns the tokens that say which medium is meant, where there are several."""
    several = range(1, min(many, len(MEDIA)) + 1)
    return f"({' | '.join(f'm_{place}' for place in several)})?" if many > 1 else ""


def _ranges(numbers: Iterable[int]) -> str:
    """Returns a set of tokens by their numbers."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return f"<[{','.join(f'{low}-{high}' if high > low else str(low) for low, high in ranges)}]>"


class Held:
    """A grammar under way."""

    def __init__(self, matcher: Any, size: int) -> None:
        self._matcher, self._size = matcher, size

    def allowed(self) -> NDArray[np.int64]:
        """Returns the numbers of the tokens that may come next."""
        import numpy as np

        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        return np.flatnonzero(np.unpackbits(bits, bitorder="little")[: self._size])

    def take(self, token: int) -> bool:
        """Returns whether all is written with this token.

        Raises:
            ValueError: the token may not come here.
        """
        if not self._matcher.consume_token(token):
            raise ValueError(f"token {token} may not come here")
        return bool(self._matcher.is_stopped())


class _Numbers:
    """A tokenizer for llguidance in which every token is special, so that only its number counts."""

    def __init__(self, tokenizer: Any) -> None:
        self.eos_token_id = tokenizer.eos_token_id
        self.bos_token_id = None
        self.tokens = [f"token {number}".encode() for number in range(len(tokenizer))]
        self.special_token_ids = list(range(len(tokenizer)))

    def __call__(self, text: bytes) -> list[int]:
        return []
