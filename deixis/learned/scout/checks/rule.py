"""What a check is, and how several of them judge samples and count what they reject."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from deixis.learned.scout.sample import RuleVerdict, Sample


class Rule(Protocol):
    """A check. `name` is what its counter and its verdicts are called.

    A rule only says what is wrong; whether it remembers a sample is decided by `accepted`, which is called
    after all rules have passed it.
    """

    name: str

    def fault(self, sample: Sample) -> str:
        """Returns what is wrong with the sample, in words; empty where nothing is."""
        ...

    def accepted(self, sample: Sample) -> None:
        """Takes note of a sample that passed every rule."""
        ...


class SimpleRule(ABC):
    """The base of rules that remember nothing."""

    name = ""

    @abstractmethod
    def fault(self, sample: Sample) -> str:
        """Returns what is wrong with the sample, in words; empty where nothing is."""

    def accepted(self, sample: Sample) -> None:  # noqa: B027 - most rules have nothing to remember
        """Remembers nothing."""


class Checker:
    """Judges samples by rules, all of them, and counts.

    `counts` holds per rule how many samples it rejected, `alone` how many it alone rejected.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        names = [rule.name for rule in rules]
        if len(set(names)) != len(names):
            raise ValueError(f"two rules have one name: {sorted(names)}")
        self.rules = tuple(rules)
        self.judged = self.passed = 0
        self.counts: Counter[str] = Counter(dict.fromkeys(names, 0))
        self.alone: Counter[str] = Counter(dict.fromkeys(names, 0))

    def judge(self, sample: Sample) -> Sample:
        """Returns the sample with the verdicts of all rules in place of any that it had."""
        faults = [(rule.name, rule.fault(sample)) for rule in self.rules]
        verdicts = tuple(RuleVerdict(rule=name, passed=not why, note=why) for name, why in faults)
        bad = [name for name, why in faults if why]
        self.judged += 1
        self.counts.update(bad)
        if len(bad) == 1:
            self.alone.update(bad)
        if not bad:
            self.passed += 1
            self.remember(sample)
        return sample.model_copy(update={"verdicts": verdicts})

    def remember(self, sample: Sample) -> None:
        """Takes note of a sample that passed before, so that its doubles are found."""
        for rule in self.rules:
            rule.accepted(sample)

    def sorted_out(self, samples: Iterable[Sample]) -> Iterator[tuple[Sample, bool]]:
        """Yields every sample with its verdicts, and whether it passed."""
        for sample in samples:
            judged = self.judge(sample)
            yield judged, all(verdict.passed for verdict in judged.verdicts)
