"""The kinds of sound of the illustrated world, and the AudioSet classes they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of sound.

    `audioset` is the display name of its class (Gemmeke et al. 2017), by which the tables of sources know it,
    `parents` are its ancestors in lower case, nearest first, so that the ontology file is not needed.
    `continuous` sounds go on as long as they like; the others are one call, or calls with short pauses.
    """

    name: str
    audioset: str
    class_id: str
    parents: tuple[str, ...]
    continuous: bool = False

    @property
    def label(self) -> str:
        """Returns the display name in lower case, as events carry it."""
        return self.audioset.lower()


SOUNDING: tuple[Kind, ...] = (
    Kind("speech", "Speech", "/m/09x0r", ("human voice", "human sounds"), True),
    Kind("cry", "Baby cry, infant cry", "/t/dd00002", ("crying, sobbing", "human voice", "human sounds")),
    Kind("laugh", "Laughter", "/m/01j3sz", ("human voice", "human sounds")),
    Kind("cough", "Cough", "/m/01b_21", ("respiratory sounds", "human sounds")),
    Kind("bark", "Bark", "/m/05tny_", ("dog", "domestic animals, pets", "animal")),
    Kind("meow", "Meow", "/m/07qrkrw", ("cat", "domestic animals, pets", "animal")),
    Kind(
        "neigh",
        "Neigh, whinny",
        "/m/07q5rw0",
        ("horse", "livestock, farm animals, working animals", "animal"),
    ),
    Kind(
        "moo", "Moo", "/m/07rpkh9", ("cattle, bovinae", "livestock, farm animals, working animals", "animal")
    ),
    Kind("oink", "Oink", "/t/dd00018", ("pig", "livestock, farm animals, working animals", "animal")),
    Kind(
        "baa", "Bleat", "/m/07q0h5t", ("goat", "sheep", "livestock, farm animals, working animals", "animal")
    ),
    Kind(
        "cluck",
        "Cluck",
        "/m/07st89h",
        ("chicken, rooster", "fowl", "livestock, farm animals, working animals", "animal"),
    ),
    Kind(
        "crow",
        "Crowing, cock-a-doodle-doo",
        "/m/07qn5dc",
        ("chicken, rooster", "fowl", "livestock, farm animals, working animals", "animal"),
    ),
    Kind(
        "chirp",
        "Chirp, tweet",
        "/m/07pggtn",
        (
            "bird vocalization, bird call, bird song",
            "brief tone",
            "bird",
            "onomatopoeia",
            "wild animals",
            "source-ambiguous sounds",
            "animal",
        ),
    ),
    Kind(
        "quack", "Quack", "/m/07qdb04", ("duck", "fowl", "livestock, farm animals, working animals", "animal")
    ),
    Kind("hoot", "Hoot", "/m/07r_80w", ("owl", "bird", "wild animals", "animal")),
    Kind("croak", "Croak", "/m/07st88b", ("frog", "wild animals", "animal")),
    Kind("buzz", "Bee, wasp, etc.", "/m/01h3n", ("insect", "wild animals", "animal"), True),
    Kind("roar", "Roar", "/m/04cvmfc", ("roaring cats (lions, tigers)", "wild animals", "animal")),
    Kind("engine", "Engine", "/m/02mk9", ("sounds of things",), True),
    Kind(
        "horn",
        "Vehicle horn, car horn, honking",
        "/m/0912c9",
        ("car", "alarm", "motor vehicle (road)", "sounds of things", "vehicle"),
    ),
    Kind("siren", "Siren", "/m/03kmc9", ("alarm", "sounds of things"), True),
    Kind("train", "Train", "/m/07jdr", ("rail transport", "vehicle", "sounds of things"), True),
    Kind(
        "plane",
        "Fixed-wing aircraft, airplane",
        "/m/0cmf2",
        ("aircraft", "vehicle", "sounds of things"),
        True,
    ),
    Kind("helicopter", "Helicopter", "/m/09ct_", ("aircraft", "vehicle", "sounds of things"), True),
    Kind("bell", "Bell", "/m/0395lw", ("musical instrument", "sounds of things", "music")),
    Kind("ring", "Telephone", "/m/07cx4", ("alarm", "sounds of things")),
    Kind("alarm", "Alarm clock", "/m/046dlr", ("alarm", "sounds of things")),
    Kind("tick", "Tick-tock", "/m/07qjznl", ("clock", "mechanisms", "sounds of things")),
    Kind("guitar", "Guitar", "/m/0342h", ("plucked string instrument", "musical instrument", "music")),
    Kind("piano", "Piano", "/m/05r5c", ("keyboard (musical)", "musical instrument", "music")),
    Kind(
        "violin",
        "Violin, fiddle",
        "/m/07y_7",
        ("bowed string instrument", "musical instrument", "music"),
        True,
    ),
    Kind("trumpet", "Trumpet", "/m/07gql", ("brass instrument", "musical instrument", "music")),
    Kind("drum", "Drum", "/m/026t6", ("percussion", "musical instrument", "music")),
    Kind("rain", "Rain", "/m/06mb1", ("water", "natural sounds"), True),
    Kind("thunder", "Thunder", "/m/0ngt1", ("thunderstorm", "natural sounds")),
    Kind("fire", "Fire", "/m/02_41", ("natural sounds",), True),
    Kind("typing", "Typing", "/m/0316dw", ("domestic sounds, home sounds", "sounds of things")),
    Kind("hammer", "Hammer", "/m/03l9g", ("tools", "sounds of things")),
)
"""All kinds; the place in the tuple is the class number, and stays: add at the end."""

KINDS: tuple[str, ...] = tuple(kind.name for kind in SOUNDING)
NUMBERS: dict[str, int] = {name: number for number, name in enumerate(KINDS)}
