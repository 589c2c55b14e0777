"""The page of the settings: of the installation, of each connector, of a flow."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

from pydantic import SecretStr

from handbook import markdown
from routebooks.connectors.base import Setting
from routebooks.connectors.registry import CONNECTORS
from routebooks.engine.flow_settings import SETTINGS
from routebooks.settings import FILE_NAME, Settings

_ASSUMED = "**assumed**"
_INTRODUCTION = f"""
{_ASSUMED}: nobody publishes this, so it is our own assumption. Compare it with what you were told.
"""
_INSTALLATION = f"""
Environment over file over default. The file is `{FILE_NAME}` in the home folder: one line each,
texts in quotation marks:

```toml
port = 8500
public_url = "https://routebooks.example.com"
```

What stands in the file holds for every command; a variable of the environment holds where it is set.
"""
_CONNECTIONS = """
Set one with `routebooks connection set COMPANY NAME setting=value`. A secret is asked for, or read with
`--secret-stdin`; it is kept encrypted and never shown.
"""


def made() -> str:
    """The page."""
    connectors = [
        f"### {name}: {kind.title}\n\n{_declared(kind.settings)}" for name, kind in sorted(CONNECTORS.items())
    ]
    return markdown.page(
        "Settings",
        _INTRODUCTION,
        f"## The installation\n{_INSTALLATION}\n{_installation()}",
        f"## Connections\n{_CONNECTIONS}",
        *connectors,
        "## Flows\n\nSet one with `routebooks flow set COMPANY FLOW setting=value`.\n\n" + _declared(SETTINGS),
    )


def _declared(settings: Iterable[Setting]) -> str:
    return markdown.table(("setting", "at first", "what it does"), map(_row, settings))


def _row(setting: Setting) -> tuple[str, str, str]:
    marks = [_ASSUMED] if setting.assumed else []
    marks += ["Secret."] if setting.secret else []
    marks += ["Must be given."] if setting.default is None else []
    said = [markdown.plain(setting.help)]
    if setting.choices:
        said.append(f"One of {', '.join(map(markdown.code, setting.choices))}.")
    bounds = [text for text in (_bound("at least", setting.minimum), _bound("at most", setting.maximum)) if text]
    if bounds:
        said.append(f"{' and '.join(bounds).capitalize()}.")
    if setting.only_with:
        said.append(f"Only with {markdown.code('='.join(setting.only_with))}.")
    if setting.fixed_while_writing:
        said.append("Cannot be changed while an order is on its way.")
    if setting.fixed_once_read:
        said.append("Cannot be changed once records were read.")
    if setting.read_anew:
        said.append("With another value, everything is read again.")
    return markdown.code(setting.name), _first(setting.default), " ".join((*said, *marks))


def _bound(words: str, number: int | None) -> str:
    return "" if number is None else f"{words} {number}"


def _first(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    text = "" if default is None else str(default)
    return "a statement, see its page" if "\n" in text else markdown.code(text)


def _installation() -> str:
    said = _comments()
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        rows.append(
            (
                markdown.code(name),
                markdown.code(f"ROUTEBOOKS_{name.upper()}"),
                markdown.code(default.as_posix() if hasattr(default, "as_posix") else default),
                markdown.plain(f"{said.get(name, '')} Write {field.description}.".strip()),
            )
        )
    return markdown.table(("setting", "environment", "at first", "what it is"), rows)


def _comments() -> dict[str, str]:
    """What the source says above each setting."""
    found = re.findall(r"^    #: (.*)\n    (\w+):", inspect.getsource(Settings), re.MULTILINE)
    return {name: f"{text[0].upper()}{text[1:]}." for text, name in found}
