"""Which of the things that an answer names are outlined when there are many."""

from __future__ import annotations

from deixis.answer import Region, Score
from deixis.geometry import Box
from deixis.graphs.answering.draft import Draft
from deixis.graphs.answering.facts import Facts, Group
from deixis.graphs.nodes.segment import wanted_boxes

PICTURE = "sha256:" + "0" * 64


def group(name: str, *scores: float, at: float) -> Group:
    """Things of one name side by side in a row `at` pixels from the top."""
    regions = [
        Region(
            media=PICTURE,
            box=Box(x1=20 * place, y1=at, x2=20 * place + 10, y2=at + 10),
            score=Score(value=score, kind="detector"),
        )
        for place, score in enumerate(scores)
    ]
    return Group(id=name, kind="thing", label=name, names=(name,), regions=regions)


def places(most: int, *groups: Group, **chosen: list[int]) -> list[tuple[float, float]]:
    """Returns the upper left corners of the wanted boxes."""
    facts = Facts(images=[], has_audio=False, things=list(groups))
    draft = Draft(text="", groups=tuple(one.id for one in groups), chosen=chosen)
    return [(box.x1, box.y1) for _, box in wanted_boxes(facts, draft, most)]


def test_every_thing_that_is_named_comes_before_the_second_of_any() -> None:
    people, dog = group("person", 0.7, 0.9, 0.8, at=0), group("dog", 0.4, at=50)
    assert places(9, people, dog) == [(20, 0), (0, 50), (40, 0), (0, 0)]
    assert places(2, people, dog) == [(20, 0), (0, 50)]
    assert places(0, people, dog) == []


def test_only_what_the_answer_chose_is_outlined() -> None:
    people, dog = group("person", 0.7, 0.9, 0.8, at=0), group("dog", 0.4, at=50)
    assert places(9, people, dog, person=[2], dog=[]) == [(40, 0)]


def test_same_box_is_outlined_once_and_does_not_use_up_a_place() -> None:
    one, same, other = group("cat", 0.9, at=0), group("pet", 0.8, at=0), group("dog", 0.3, at=50)
    assert places(2, one, same, other) == [(0, 0), (0, 50)]
