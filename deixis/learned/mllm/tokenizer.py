"""The pocket MLLM's tokenizer: whole words and names of several words; the rest in letters.

Text is taken in lower case. A name that the world knows ("alarm clock") is one token, so that a thing in
the picture and its name in the text can start at the same place in the space of words. A word that is not
known is spelt (``##`` marks what continues a word), so nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from deixis.errors import MissingExtra
from deixis.learned.mllm.tokens import COORDINATES, EOS, PAD, PROPOSALS, SPECIAL, UNKNOWN
from deixis.learned.mllm.words import LETTERS, SIGNS, known_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_BEFORE = re.compile(r"\s+([.,;:?!%)\]])")
_AFTER = re.compile(r"([(\[])\s+")
_START = re.compile(r"(^|[.?!]\s+)(\ue000?)([a-z])")
_I = re.compile(r"\bi\b")


def vocabulary(texts: Iterable[str] = ()) -> dict[str, int]:
    """Returns the number of every token: special ones, proposals, coordinates, signs, letters, words."""
    pieces = [*SIGNS, *LETTERS, *(f"##{letter}" for letter in LETTERS), "##'", "##-", "##’", "##."]
    every = [*SPECIAL, *PROPOSALS, *COORDINATES, *pieces, *known_words(texts)]
    return {token: number for number, token in enumerate(dict.fromkeys(every))}


def build_tokenizer(texts: Iterable[str] = ()) -> PreTrainedTokenizerFast:
    """Returns the tokenizer; words of `texts` are known as wholes besides those of the world.

    Raises:
        MissingExtra: transformers is not installed.
    """
    try:
        from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
        from transformers import PreTrainedTokenizerFast
    except ImportError as error:
        raise MissingExtra("learned", "transformers", "The pocket MLLM") from error
    table = vocabulary(texts)
    core = Tokenizer(models.WordPiece(table, unk_token=UNKNOWN, max_input_chars_per_word=60))
    core.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    core.pre_tokenizer = pre_tokenizers.Split(Regex(_pattern(table)), "removed", invert=True)
    core.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    core.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    core.add_tokens([AddedToken(token, normalized=False) for token in COORDINATES])
    made: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=core,
        unk_token=UNKNOWN,
        pad_token=PAD,
        eos_token=EOS,
        padding_side="right",
        clean_up_tokenization_spaces=False,
        model_max_length=2048,
    )
    return made  # type: ignore[no-any-return]


def _pattern(table: dict[str, int]) -> str:
    """Returns the pattern of what is one word: a known name of several words, a proposal, a word, a sign."""
    names = sorted((word for word in table if " " in word or "-" in word[1:-1]), key=len, reverse=True)
    several = "|".join(
        re.escape(name).replace("\\ ", " ").replace("\\-", "-") for name in names if name[0].isalpha()
    )
    word = r"[^\W_]+(?:['’\-][^\W_]+)*"
    return rf"(?:{several})(?![^\W_])|#\d+|\d+\.\d+|{word}|[^\s]"


def spoken(text: str) -> str:
    """Returns decoded text as it is written: no blank before signs, sentences with a capital.

    ``spoken(decode(encode(text)))`` is `text` where only the beginnings of its sentences have capitals.
    """
    joined = _AFTER.sub(r"\1", _BEFORE.sub(r"\1", " ".join(text.split())))
    begun = _START.sub(lambda found: found.group(1) + found.group(2) + found.group(3).upper(), joined)
    return _I.sub("I", begun)
