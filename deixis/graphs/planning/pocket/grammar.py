"""What may come next, as a grammar over tokens: only steps that can be read and carried out come out.

llguidance holds the model to it. The grammar is made anew for each step, for what may be called, and which
numbers may be named, depends on what was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PARTS = 110
"""Words and references of one step; SCOUT's longest has 80."""
MOST_WORDS, MOST_PHRASES, MOST_REGIONS = 10, 12, 10
ROLES_OF = {"find": ("tagging", "detection"), "locate": ("detection",), "outline": ("segmentation",),
            "listen": ("hearing",), "relate": ("matching",)}  # fmt: skip
"""What a step of each kind calls, as in SCOUT; kinds that are not here call nothing."""
THINKING = ("find", "locate", "outline", "listen", "relate", "select")
EVERYTHING = "everything"


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
        odd = {*SPECIAL, *COORDINATES}
        whole = [number for token, number in self._number.items() if token not in odd and token[:2] != "##"]
        self._words = sorted(set(whole) - {self._number[one] for one in PROPOSALS})
        self._pieces = sorted(number for token, number in self._number.items() if token[:2] == "##")
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
        rules = {"start": "words" if what == "words" else self._starts(allowed)}
        rules["words"] = f"part{{1,{MOST_PARTS}}} {self._one(END)}"
        rules["answer"] = f"{self._one(STEPS['answer'])} words"
        rules["thinking"] = f"{self._some(STEPS[kind] for kind in THINKING)} words"
        for kind, roles in ROLES_OF.items():
            calls = [f"call_{role}" for role in roles if role in allowed.roles]
            if calls:
                begun = f"{self._one(STEPS[kind])} {self._one(CALL)}"
                rules[f"by_{kind}"] = f"{begun} ({' | '.join(calls)}) {self._one(END_CALL)}"
        rules |= self._calls(allowed)
        rules |= self._parts(allowed)
        return "".join(f"{name}: {rule}\n" for name, rule in rules.items())

    def _starts(self, allowed: Allowed) -> str:
        calling = [
            f"by_{kind}" for kind, roles in ROLES_OF.items() if any(role in allowed.roles for role in roles)
        ]
        return " | ".join(["answer", *(["thinking", *calling] if allowed.steps else [])])

    def _calls(self, allowed: Allowed) -> dict[str, str]:
        rules: dict[str, str] = {}
        pictures, sounds = self._medium(allowed.pictures), self._medium(allowed.sounds)
        apart = self._numbers([self._number[";"]])
        for role in allowed.roles:
            begun = self._one(CALLS[role])
            match role:
                case "detection":
                    every = self._one(EVERYTHING)
                    phrases = f"phrase ({apart} phrase){{0,{MOST_PHRASES}}}"
                    rules["call_detection"] = f"{begun}{pictures} ({every} | {phrases})"
                case "tagging":
                    rules["call_tagging"] = f"{begun}{pictures}"
                case "hearing":
                    rules["call_hearing"] = f"{begun}{sounds}"
                case "segmentation":
                    rules["call_segmentation"] = (
                        f"{begun}{pictures} place ({apart} place){{0,{MOST_REGIONS}}}"
                    )
                case "matching":
                    rules["call_matching"] = begun
        letters = [number for number in self._words if number not in self._signs()]
        rules["phrase"] = f"({self._numbers(letters)} {self._tail}){{1,{MOST_WORDS}}}"
        return rules

    def _parts(self, allowed: Allowed) -> dict[str, str]:
        numbers = [self._number[one] for one in PROPOSALS[: allowed.boxes]]
        rules = {
            "word": f"{self._numbers(sorted([*self._words, *numbers]))} {self._tail}",
            "place": " | ".join(self._places(allowed) or [self._one(STEPS["answer"])]),
        }
        regions = [*self._places(allowed), *([self._row(TIMES)] if allowed.sounds else [])]
        many = max(allowed.pictures, allowed.sounds)
        if allowed.points:
            behind = f"{self._medium(many)} region{{0,{MOST_REGIONS}}}" if regions else ""
            reference = f"{self._one(REF)} word{{1,{MOST_WORDS}}} {self._one(END_REF)}{behind}"
            rules["part"] = f"word | {reference}"
            rules["region"] = " | ".join(regions) or self._one(END)
        else:
            rules["part"] = "word"
        return rules

    def _places(self, allowed: Allowed) -> list[str]:
        """Returns the ways to say where in a picture something is."""
        if not allowed.pictures:
            return []
        numbers = [self._number[one] for one in PROPOSALS[: allowed.boxes]]
        return [*([self._numbers(numbers)] if numbers else []), self._row(EDGES)]

    @property
    def _tail(self) -> str:
        return f"{self._numbers(self._pieces)}{{0,20}}"

    def _row(self, families: Sequence[str]) -> str:
        """Returns one coordinate of each family, in order."""
        return " ".join(
            self._some(one for one in COORDINATES if one.startswith(f"<{name}_")) for name in families
        )

    def _medium(self, many: int) -> str:
        """Returns the tokens that say which medium is meant, where there are several."""
        return f" {self._some(MEDIA[:many])}?" if many > 1 else ""

    def _signs(self) -> set[int]:
        return {number for token, number in self._number.items() if not token[0].isalnum()}

    def _one(self, token: str) -> str:
        return f"<[{self._number[token]}]>"

    def _some(self, tokens: Iterable[str]) -> str:
        return self._numbers(sorted(self._number[token] for token in tokens))

    def _numbers(self, numbers: Sequence[int]) -> str:
        """Returns the numbers as ranges, the form of a set of tokens."""
        ranges: list[list[int]] = []
        for number in numbers:
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
