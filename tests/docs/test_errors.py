from __future__ import annotations

import re

from tests.docs.error_codes import PAGE, ROOT, every_error, page


def test_page_is_up_to_date():
    assert PAGE.read_text("utf-8") == page(), "write it again with: make docs"


def test_codes_are_stable_names_with_one_family_each():
    families: dict[str, str] = {}
    for one in every_error():
        assert re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+", one.code), one
        assert families.setdefault(one.code, one.family) == one.family, f"{one.code} has two families"
    assert len(families) > 50


def test_every_error_has_a_message_and_every_input_error_a_cure():
    bare = [one for one in every_error() if not one.message or (one.family == "input" and not one.cure)]
    assert bare == []


def test_no_dotted_code_in_the_source_is_missed():
    """Whatever looks like a code of a known first word and stands in an error call is on the page."""
    known = {one.code for one in every_error()}
    first = {code.partition(".")[0] for code in known}
    found = set()
    for path in (ROOT / "deixis").rglob("*.py"):
        for name in re.findall(
            r"Fault\(\s*\"([a-z_.]+)\"|Stopped\(\s*\"([a-z_.]+)\"", path.read_text("utf-8")
        ):
            found |= {code for code in name if code}
    assert found <= known, found - known
    assert {"weights", "input", "registry", "install"} <= first
