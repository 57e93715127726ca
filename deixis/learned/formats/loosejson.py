"""JSON as models write it: read in one pass, without ever failing.

It stands among words and code fences; keys come twice in one object; commas, quotes and closing brackets
are missing; words stand unquoted; the end is cut off. The reader keeps a stack of what is open, takes what
it can use and goes on. Nothing is read twice, so its time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MOST_DEPTH = 32
"""Open brackets; beyond that all of them are taken as closed."""

OPEN = re.compile(r"[{\[]")

# A quotation mark ends a string where something that can follow a string comes behind it, so that
# "a 12" screen" is one string.
_STRING = r"""{q}(?:[^{q}\\\n]|\\.|{q}(?![ \t]{{0,8}}+(?:[,:}})\]{q}\n]|```|\Z)))*+(?P<{name}>{q}?)"""
_MARK = r"(?P<mark>[{}\[\](),:])"
_DOUBLE = _STRING.format(q='"', name="double_end")
_SINGLE = _STRING.format(q="'", name="single_end")
_REST = (
    r"(?P<fence>```)"
    r"|(?P<number>[-+]?+(?:\d++\.?+\d*+|\.\d++)(?:[eE][-+]?\d++)?+(?![\w.]))"
    r"""|(?P<word>[^\s{}\[\](),:"`]++|`)"""
)
DOUBLE = re.compile(f"{_MARK}|{_DOUBLE}|{_REST}")
EITHER = re.compile(f"{_MARK}|{_DOUBLE}|{_SINGLE}|{_REST}")
"""The same, where a value or a key may begin: there strings may stand in single quotation marks."""

BRACKETS = {"(": "[", ")": "]"}
"""Python writes lists of numbers in round brackets too."""

WORDS: dict[str, object] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None,
}  # fmt: skip
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(eq=False, repr=False)
class Node:
    """An object or a list, and where it stands.

    Attributes:
        opener: ``{`` or ``[``.
        start: position of the opening bracket.
        parent: the node around it.
        end: behind the closing bracket, or where it was given up.
        pairs: keys and values of an object in their order, doubles kept.
        items: values of a list.
        closed: its closing bracket is there.
        clean: nothing stands in it, or in what it holds, that is not JSON.
    """

    opener: str
    start: int
    parent: Node | None = None
    end: int = 0
    pairs: list[tuple[str, object]] = field(default_factory=list)
    items: list[object] = field(default_factory=list)
    closed: bool = False
    clean: bool = True
    key: str | None = None
    spare: list[object] = field(default_factory=list)
    wordy: bool = False

    def take(self, value: object, *, word: bool = False) -> None:
        """Adds a value; unquoted words that follow each other become one value."""
        if self.opener == "[":
            self.items.append(value)
            self.clean = self.clean and not word
        elif self.key is not None:
            self.pairs.append((self.key, value))
            self.key, self.wordy = None, word
        elif word and self.wordy and self.pairs:
            key, before = self.pairs[-1]
            self.pairs[-1] = (key, f"{before} {value}")
        else:
            self.spare.append(value)
            self.wordy = False

    def colon(self) -> None:
        """Makes the last value without a key the key of the next."""
        if self.opener == "{" and self.spare and not isinstance(self.spare[-1], Node):
            self.key = str(self.spare.pop())
        else:
            self.clean = False
        self.wordy = False


def nodes(text: str) -> Iterator[Node]:
    """Returns every object and list of a text in the order in which they begin, whole ones and broken."""
    at = 0
    while found := OPEN.search(text, at):
        seen: list[Node] = []
        at = _structure(text, found.start(), seen)
        yield from seen


def _structure(text: str, start: int, seen: list[Node]) -> int:
    """Reads from one opening bracket until all are closed; returns where that is."""
    stack: list[Node] = []
    at = start
    expects = True
    while token := (EITHER if expects else DOUBLE).search(text, at):
        at = token.end()
        mark = BRACKETS.get(token.group("mark"), token.group("mark"))
        expects = mark is not None and mark in "{[,:"
        if token.group("fence"):
            return _give_up(stack, token.start())
        if mark is not None and mark in "{[":
            if len(stack) == MOST_DEPTH:
                return _give_up(stack, token.start())
            node = Node(mark, token.start(), stack[-1] if stack else None)
            seen.append(node)
            stack.append(node)
        elif mark is not None and mark in "}]":
            at = _close(stack, mark, at)
            if not stack:
                return at
        elif mark == ":":
            _colon(stack, at)
        elif mark == ",":
            stack[-1].wordy = False
        else:
            _scalar(stack[-1], token)
    return _give_up(stack, len(text))


def _colon(stack: list[Node], at: int) -> None:
    """Makes the last value a key; where that stands in a list, the list's bracket is missing."""
    node = stack[-1]
    if node.opener == "[" and node.parent and node.parent.opener == "{" and node.items:
        key = node.items.pop()
        if isinstance(key, str):
            stack.pop()
            node.closed = True
            _end(node, at)
            node.parent.key = key
            return
        node.items.append(key)
    node.colon()


def _scalar(node: Node, token: re.Match[str]) -> None:
    if (number := token.group("number")) is not None:
        node.take(float(number))
    elif (word := token.group("word")) is not None:
        if word in WORDS:
            node.take(WORDS[word])
        else:
            node.take(word, word=True)
    else:
        quoted = token.group()
        ended = bool(token.groupdict().get("double_end") or token.groupdict().get("single_end"))
        node.take(unescaped(quoted[1:-1] if ended else quoted[1:]))


def _close(stack: list[Node], mark: str, at: int) -> int:
    """Closes the innermost node of that bracket and what is open inside it; returns where to go on."""
    opener = "{" if mark == "}" else "["
    if all(node.opener != opener for node in stack):
        return at
    while stack:
        node = stack.pop()
        node.closed = node.opener == opener
        _end(node, at if node.closed else at - 1)
        if node.closed:
            break
    return at


def _give_up(stack: list[Node], at: int) -> int:
    while stack:
        _end(stack.pop(), at)
    return at


def _end(node: Node, at: int) -> None:
    """Ends a node and hands it to the node around it."""
    node.end = at
    node.clean = node.clean and not node.spare
    if node.parent is not None:
        node.parent.take(node)
        node.parent.clean = node.parent.clean and node.clean


def unescaped(text: str) -> str:
    """Returns a JSON string's characters; an escape that JSON has not stands for its character."""

    def one(found: re.Match[str]) -> str:
        code = found.group(1)
        if len(code) == 5:
            return chr(int(code[1:], 16))
        return ESCAPES.get(code, code)

    joined = ESCAPE.sub(one, text)
    try:
        # A pair of escapes may name one character beyond the first 65536.
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    except UnicodeError:
        return joined.encode("utf-8", "replace").decode()


def numbers(value: object) -> list[float] | None:
    """Returns the numbers of a list that holds nothing else, or of a string that writes such a list; in
    a list, strings that write numbers count too."""
    if isinstance(value, Node) and value.opener == "[":
        items = [item for item in value.items if isinstance(item, float | str)]
        return _floats(items) if len(items) == len(value.items) else None
    if isinstance(value, str):
        return _floats(re.split(r"[\s,]+", value.strip("[]() \t")))
    return None


def _floats(values: Sequence[float | str]) -> list[float] | None:
    try:
        return [float(value) for value in values]
    except ValueError:
        return None
