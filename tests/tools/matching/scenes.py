"""Typed requests made by hand: what is seen, what is heard."""

from __future__ import annotations

from deixis.answer import Score
from deixis.geometry import Box, Size, TimeSpan
from deixis.media.refs import ImageRef
from deixis.tools.hearing import ClipLabel, SoundEvent
from deixis.tools.matching import Heard, MatchRequest, Visible

PICTURE = ImageRef(digest="sha256:" + "0" * 64, size=Size(width=100, height=100), format="PNG")
PARENTS = {
    "bark": ("dog", "domestic animals, pets", "animal"),
    "meow": ("cat", "domestic animals, pets", "animal"),
    "chirp, tweet": ("bird vocalization, bird call, bird song", "bird", "wild animals", "animal"),
    "crowing, cock-a-doodle-doo": ("chicken, rooster", "fowl", "livestock, farm animals, working animals"),
    "moo": ("cattle, bovinae", "livestock, farm animals, working animals", "animal"),
    "neigh, whinny": ("horse", "livestock, farm animals, working animals", "animal"),
    "bleat": ("sheep", "goat", "livestock, farm animals, working animals", "animal"),
    "speech": ("human voice", "human sounds"),
    "cough": ("respiratory sounds", "human sounds"),
    "snoring": ("breathing", "respiratory sounds", "human sounds"),
    "baby cry, infant cry": ("crying, sobbing", "human voice", "human sounds"),
    "walk, footsteps": ("human locomotion", "human sounds"),
    "clapping": ("hands", "human sounds"),
    "laughter": ("human voice", "human sounds"),
    "vehicle horn, car horn, honking": ("car", "motor vehicle (road)", "vehicle", "sounds of things"),
    "siren": ("alarm", "sounds of things"),
    "train horn": ("train", "rail transport", "vehicle", "sounds of things"),
    "engine knocking": ("engine", "sounds of things"),
    "alarm clock": ("alarm", "sounds of things"),
    "tick-tock": ("clock", "mechanisms", "sounds of things"),
    "ringtone": ("telephone", "alarm", "sounds of things"),
    "computer keyboard": ("typing", "domestic sounds, home sounds", "sounds of things"),
    "toilet flush": ("domestic sounds, home sounds", "sounds of things"),
    "water tap, faucet": ("domestic sounds, home sounds", "sounds of things"),
    "vacuum cleaner": ("domestic sounds, home sounds", "sounds of things"),
    "fusillade": ("gunshot, gunfire", "explosion", "sounds of things"),
    "chainsaw": ("light engine (high frequency)", "engine", "sounds of things"),
    "acoustic guitar": ("guitar", "plucked string instrument", "musical instrument", "music"),
    "violin, fiddle": ("bowed string instrument", "musical instrument", "music"),
    "music": (),
    "rain": ("water", "natural sounds"),
    "wind": ("natural sounds",),
    "thunder": ("thunderstorm", "natural sounds"),
    "white noise": ("noise", "channel, environment and background"),
    "television": ("sound reproduction", "channel, environment and background"),
    "radio": ("sound reproduction", "channel, environment and background"),
    "inside, small room": ("acoustic environment", "channel, environment and background"),
    "silence": ("other sourceless", "source-ambiguous sounds"),
    "animal": (),
    "vehicle": ("sounds of things",),
}


def thing(*names: str, score: float = 0.8, area: float = 0.25, number: int = 1) -> Visible:
    """A box of a share of the picture."""
    side = 100 * area**0.5
    return Visible(
        id=f"thing-{number}",
        names=names,
        score=Score(value=score, kind="detector"),
        box=Box(x1=0, y1=0, x2=side, y2=side),
    )


def tag(*names: str, score: float = 0.8, number: int = 1) -> Visible:
    """A tag of the whole picture."""
    return Visible(id=f"tag-{number}", names=names, score=Score(value=score, kind="tagger"), source="tagger")


def heard(label: str, score: float = 0.8, seconds: float = 2.0, number: int = 1) -> Heard:
    """An event of a class, with its ancestors."""
    event = SoundEvent(
        label=label,
        parents=PARENTS[label],
        span=TimeSpan(start_s=0, end_s=seconds),
        score=Score(value=score, kind="hearing"),
    )
    return Heard(id=f"sound-{number}", event=event)


def request(visible: list[Visible], sounds: list[Heard], **more: object) -> MatchRequest:
    """A request on a picture of 100 × 100 pixels; things and sounds are numbered anew."""
    return MatchRequest(
        visible=tuple(
            item.model_copy(update={"id": f"{item.id.split('-')[0]}-{n}"})
            for n, item in enumerate(visible, 1)
        ),
        heard=tuple(item.model_copy(update={"id": f"sound-{n}"}) for n, item in enumerate(sounds, 1)),
        image=PICTURE,
        **more,  # type: ignore[arg-type]
    )


def clip(**scores: float) -> tuple[ClipLabel, ...]:
    """Labels of the clip as a whole."""
    return tuple(
        ClipLabel(label=label, score=Score(value=value, kind="hearing")) for label, value in scores.items()
    )
