"""A question from a command line may hold bytes that are no text."""

from __future__ import annotations

import numpy as np

from deixis import Agent


def test_bytes_that_are_no_text_are_replaced_and_the_run_is_stored() -> None:
    agent = Agent(profile="sketch")
    answer = agent.ask("Is there a caf\udce9?", image=np.full((40, 40, 3), 255, np.uint8))
    assert answer.question == "Is there a caf??"
    assert agent.trace(answer.run).record.question == "Is there a caf??"
