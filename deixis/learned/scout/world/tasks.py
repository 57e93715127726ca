"""The tasks by name: how each is written where its answer is there, and where it denies something."""

from __future__ import annotations

from deixis.learned.scout.world import naming, pairing, pointing, sounding
from deixis.learned.scout.world.looking import Task

SEEN: dict[str, Task] = {
    "where": Task(pointing.singles, pointing.single("where")),
    "find": Task(pointing.singles, pointing.single("find")),
    "outline": Task(pointing.singles, pointing.single("outline")),
    "attribute": Task(pointing.coloured, pointing.single("attribute")),
    "which": Task(pointing.several, pointing.which),
    "relation": Task(pointing.related, pointing.relation),
    "count": Task(naming.countable, naming.count),
    "presence": Task(naming.present, naming.presence),
    "list": Task(naming.something, naming.list_),
    "caption": Task(naming.something, naming.caption),
    "hear": Task(sounding.events, sounding.hear),
    "sound_presence": Task(sounding.events, sounding.sound_presence),
    "when": Task(sounding.events, sounding.when),
    "sound_source": Task(pairing.made_here, pairing.sound_source),
    "match": Task(pairing.matched, pairing.match),
}
"""Tasks whose answer is there."""
DENIED: dict[str, Task] = {
    "where": Task(pointing.absents, pointing.absent("where")),
    "find": Task(pointing.absents, pointing.absent("find")),
    "outline": Task(pointing.absents, pointing.absent("outline")),
    "attribute": Task(pointing.absents, pointing.absent("attribute")),
    "which": Task(pointing.foreign, pointing.which_false),
    "relation": Task(pointing.unrelated, pointing.relation),
    "count": Task(naming.uncounted, naming.count_none),
    "presence": Task(naming.missing, naming.presence_absent),
    "list": Task(naming.emptiness, naming.list_nothing),
    "hear": Task(sounding.silence, sounding.hear_nothing),
    "sound_presence": Task(sounding.unheard, sounding.sound_absent),
    "when": Task(sounding.unheard, sounding.when_never),
    "sound_source": Task(pairing.made_elsewhere, pairing.sound_unrelated),
    "match": Task(pairing.unmatched, pairing.match),
}
"""Tasks whose right answer denies something."""
