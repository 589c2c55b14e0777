"""alert: added, listed, tested, removed; the address is never shown."""

from __future__ import annotations

from cli_program import Program

ADDRESS = "json://user:geheimnis@127.0.0.1:1/secret-path"


def test_an_alert_is_added_listed_and_removed_without_showing_its_address(program: Program) -> None:
    said = program.json("alert", "add", "office", ADDRESS)
    assert said == {"name": "office", "company": None, "kind": "JSON", "problem": None}
    program("alert", "add", "harbor", "--company", "Harbor", stdin=ADDRESS + "\n")
    shown = program("alert", "list")
    assert [line.split()[:3] for line in shown.stdout.splitlines()[1:]] == [
        ["harbor", "Harbor", "JSON"],
        ["office", "all", "JSON"],
    ]
    for secret in ("geheimnis", "secret-path"):
        assert secret not in shown.stdout
        assert secret not in str(program.audit())
    program("alert", "remove", "office")
    assert [each["name"] for each in program.json("alert", "list")] == ["harbor"]
    assert program.audit()[-1] == ("command line", "remove alert", "office")


def test_a_test_message_that_cannot_be_sent_says_why(program: Program) -> None:
    program("alert", "add", "office", ADDRESS)
    said = program.refused("alert", "test", "office", code=1)
    assert "[alert-not-sent]" in said
    assert "geheimnis" not in said


def test_what_is_no_alert_is_refused(program: Program) -> None:
    assert "[alert-address]" in program.refused("alert", "add", "office", "office@example.com")
    assert "[alert-unknown]" in program.refused("alert", "test", "nobody")
    assert "[alert-unknown]" in program.refused("alert", "remove", "nobody")
    program("alert", "add", "office", ADDRESS)
    assert "[alert-exists]" in program.refused("alert", "add", "office", ADDRESS)
