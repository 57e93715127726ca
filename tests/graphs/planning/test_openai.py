"""The planner over a chat endpoint, against a real server on this machine."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import InputFault, PlannerFault
from deixis.graphs.planning.openai import openai
from deixis.graphs.planning.protocol import NextStep, schema
from deixis.graphs.planning.replies import read_reply, strict_schema
from tests.conformance.planner import check_planner, requests
from tests.graphs import fakes
from tests.graphs.planning.server import completion, endpoint
from tests.graphs.stepwise.runs import DOG, LOOK, agent, ask

KEY = "sk-very-secret-0123456789"


def planner(url: str, **options: Any) -> Any:
    return openai(url, "some-model", KEY, backoff_s=0.01, **options)


async def test_step_comes_under_the_schema_with_pictures_and_usage(store: Any) -> None:
    image = store.add_image(fakes.picture())
    with endpoint(LOOK) as server:
        reply = await planner(server.url)(requests(image, None, "Where is the dog?"), store)
    assert reply.step == NextStep.model_validate(LOOK) and reply.tokens == 70 and reply.attempts == 1
    (body,) = server.bodies
    form = body["response_format"]
    assert form["type"] == "json_schema" and form["json_schema"]["strict"] is True
    words, picture = body["messages"][1]["content"]
    assert "Where is the dog?" in words["text"]
    assert picture["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_strict_schema_requires_every_key_and_keeps_no_limit() -> None:
    made = strict_schema(schema())
    objects = [made, *made["$defs"].values()]
    for one in objects:
        if "properties" in one:
            assert one["required"] == list(one["properties"]) and one["additionalProperties"] is False
    text = str(made)
    assert "maxLength" not in text and "default" not in text and "exclusiveMinimum" not in text
    assert set(made["properties"]) == set(NextStep.model_fields)


async def test_parse_error_is_shown_to_the_model(store: Any) -> None:
    image = store.add_image(fakes.picture())
    with endpoint("Sure! I would look for a dog.", {"kind": "dance"}, LOOK) as server:
        reply = await planner(server.url)(requests(image, None, "Where?"), store)
    assert reply.attempts == 3 and reply.tokens == 210
    first, second = (body["messages"][2:] for body in server.bodies[1:])
    assert first[0] == {"role": "assistant", "content": "Sure! I would look for a dog."}
    assert "no whole JSON object" in first[1]["content"]
    assert "kind" in second[1]["content"] and len(server.bodies[2]["messages"]) == 4


async def test_retries_are_bounded_and_tokens_are_told(store: Any) -> None:
    image = store.add_image(fakes.picture())
    with endpoint("no") as server, pytest.raises(PlannerFault) as caught:
        await planner(server.url, retries=1)(requests(image, None, "Where?"), store)
    assert caught.value.code == "planner.reply.json"
    assert len(server.bodies) == 2 and caught.value.details["tokens"] == 140


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_busy_endpoint_is_asked_again_after_a_pause(store: Any, status: int) -> None:
    image = store.add_image(fakes.picture())
    busy = (status, {"retry-after": "0.2"}, {"error": {}}, 0.0)
    with endpoint(busy, LOOK) as server:
        reply = await planner(server.url)(requests(image, None, "Where?"), store)
    assert reply.attempts == 2
    assert server.times[1] - server.times[0] >= 0.2


async def test_slow_endpoint_times_out(store: Any) -> None:
    image = store.add_image(fakes.picture())
    slow = (200, {}, completion(LOOK), 1.0)
    with endpoint(slow) as server, pytest.raises(PlannerFault) as caught:
        await planner(server.url, timeout_s=0.1, retries=1)(requests(image, None, "Where?"), store)
    assert caught.value.code == "planner.openai.timeout"


@pytest.mark.parametrize(
    ("status", "body", "code", "tries"),
    [
        (401, {"error": {"message": f"bad key {KEY}"}}, "planner.openai.denied", 1),
        (404, {"error": {"message": "no such model"}}, "planner.openai.status", 1),
        (302, {}, "planner.openai.status", 1),
        (200, b"<html>", "planner.openai.foreign", 1),
        (200, {"choices": []}, "planner.openai.foreign", 1),
        (200, b"[" * 100_000, "planner.openai.foreign", 1),
        (200, b" " * 4_000_001, "planner.openai.oversized", 1),
        (500, {}, "planner.openai.busy", 3),
    ],
)
async def test_faults_have_codes_and_no_secrets(
    store: Any, caplog: Any, status: int, body: Any, code: str, tries: int
) -> None:
    image = store.add_image(fakes.picture())
    caplog.set_level(logging.DEBUG)
    with endpoint((status, {}, body, 0.0)) as server, pytest.raises(PlannerFault) as caught:
        await planner(server.url)(requests(image, None, "Where?"), store)
    assert caught.value.code == code and len(server.bodies) == tries
    assert KEY not in str(caught.value.as_dict()) and KEY not in caplog.text


async def test_unreachable_endpoint_names_no_address_in_full(store: Any) -> None:
    image = store.add_image(fakes.picture())
    made = planner("http://user:password@127.0.0.1:9/v1?token=abc", retries=0)
    with pytest.raises(PlannerFault) as caught:
        await made(requests(image, None, "Where?"), store)
    told = str(caught.value.as_dict())
    assert caught.value.code == "planner.openai.unreachable"
    assert "password" not in told and "abc" not in told


async def test_endpoint_without_schemas_is_asked_with_less(store: Any) -> None:
    image = store.add_image(fakes.picture())
    refused = (400, {}, {"error": {"message": "response_format is not supported"}}, 0.0)
    made = None
    with endpoint(refused, refused, LOOK) as server:
        made = planner(server.url)
        reply = await made(requests(image, None, "Where?"), store)
        await made(requests(image, None, "Where?"), store)
    forms = [body.get("response_format", {}).get("type") for body in server.bodies]
    assert forms == ["json_schema", "json_object", None, None]
    assert reply.attempts == 1


async def test_own_boxes_come_in_the_space_that_was_named(store: Any) -> None:
    image = store.add_image(fakes.picture())  # 160 × 120
    box = {"x1": 0, "y1": 500, "x2": 500, "y2": 1000}
    told = {"kind": "answer", "text": "A dog.", "claims": [{"phrase": "dog", "boxes": [box]}]}
    outside = {
        "kind": "answer",
        "text": "A dog.",
        "claims": [{"phrase": "dog", "boxes": [{**box, "x2": 1500}]}],
    }
    with endpoint(outside, told) as server:
        reply = await planner(server.url, space="0-1000")(requests(image, None, "Where?"), store)
    assert reply.attempts == 2
    assert reply.step.claims[0].boxes[0].xyxy_px == pytest.approx((0, 60, 80, 120))
    assert "0-1000" in server.bodies[0]["messages"][0]["content"]
    assert "lies outside" in server.bodies[1]["messages"][-1]["content"]


async def test_reply_that_is_cut_off_is_asked_again(store: Any) -> None:
    image = store.add_image(fakes.picture())
    cut = (200, {}, completion('{"kind": "loc', choice={"finish_reason": "length"}), 0.0)
    with endpoint(cut, LOOK) as server:
        reply = await planner(server.url)(requests(image, None, "Where?"), store)
    assert reply.attempts == 2 and "shorter" in server.bodies[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"kind": "find", "calls": null}\n```',
        '<think>{"kind": "x"}</think> Here: {"kind": "find"} and {"more": 1}',
        '{"a": 1} {"kind": "find"}',
    ],
)
def test_replies_are_found_among_words(text: str) -> None:
    assert read_reply(text).kind == "find"


@pytest.mark.parametrize("text", ["", "{", "{" * 5000, "[1]", '{"kind": "answer"}', "{}" * 3000, "\ud800"])
def test_replies_that_are_none_are_faults(text: str) -> None:
    with pytest.raises(PlannerFault) as caught:
        read_reply(text)
    assert caught.value.code.startswith("planner.reply.") and len(caught.value.message) < 900


def test_conformance(store: Any) -> None:
    image, audio = store.add_image(fakes.picture()), store.add_audio(fakes.sound())
    with endpoint(LOOK, DOG) as server:
        steps = check_planner(planner(server.url), store, image, audio, "Where is the dog?")
    assert [step.kind for step in steps] == ["locate", "answer"]


def test_whole_run_over_an_endpoint(tmp_path: Path) -> None:
    with endpoint(LOOK, DOG) as server:
        answer = ask(agent(tmp_path, planner(server.url)))
    assert answer.status == "complete" and answer.entities[0].regions[0].box == fakes.DOG


def test_endpoint_that_is_down_falls_back(tmp_path: Path) -> None:
    with endpoint((503, {}, {}, 0.0)) as server:
        answer = ask(agent(tmp_path, planner(server.url, retries=0)))
    assert answer.status == "degraded" and answer.problems[0].code == "planner.openai.busy"
    assert "planner openai failed" in answer.text


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "ftp://x"}, {"timeout_s": 0}, {"retries": -1}, {"response_format": "yaml"},
        {"space": "parsecs"}, {"temperature": float("nan")}, {"side_px": -1},
    ],
)  # fmt: skip
def test_options_that_do_not_fit(options: dict[str, Any]) -> None:
    with pytest.raises(InputFault) as caught:
        openai(**{"base_url": "http://localhost/v1", "model": "m", **options})
    assert caught.value.code == "planner.openai.option"


def test_unset_endpoint_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEIXIS_CHAT_URL", raising=False)
    with pytest.raises(InputFault) as caught:
        openai()
    assert caught.value.code == "planner.openai.unset" and "DEIXIS_CHAT_URL" in caught.value.cure
