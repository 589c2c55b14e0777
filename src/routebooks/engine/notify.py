"""Messages to people, by e-mail, chat or webhook. The only importer of Apprise."""

from __future__ import annotations

import logging
import re
from typing import Any

import apprise

from routebooks.errors import ConfigError, TransientError

# It would write addresses, with what is secret in them, into the log.
logging.getLogger("apprise").propagate = False
logging.getLogger("apprise").addHandler(logging.NullHandler())

# No address and no picture of anybody else goes into a message.
_ASSET = apprise.AppriseAsset(
    app_id="Routebooks", app_desc="", app_url="", image_url_mask="", image_url_logo="", async_mode=False
)


def kind_of(address: str) -> str:
    """What an address leads to, as a person calls it ("E-Mail", "Slack"). Raises ConfigError when it is none."""
    found = apprise.Apprise.instantiate(address, asset=_ASSET, suppress_exceptions=True)
    if not isinstance(found, apprise.NotifyBase):
        raise ConfigError(
            "This is no address that a message can be sent to.",
            hint="For instance mailtos://user:password@example.com?to=office@example.com, or jsons://example.com/hook; "
            "https://github.com/caronc/apprise/wiki lists all kinds.",
            code="alert-address",
        )
    return str(found.service_name)


def send(address: str, title: str, body: str) -> None:
    """Send one message. Raises ConfigError for an address that is none, TransientError when it was not taken."""
    kind = kind_of(address)
    channel = apprise.Apprise(asset=_ASSET)
    channel.add(address)
    capture: Any = apprise.LogCapture
    with capture(level=logging.WARNING, fmt="%(message)s") as said:
        sent = channel.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
        detail = str(said.getvalue())
    if not sent:
        raise TransientError(
            f"The message could not be sent ({kind}).",
            hint="See that the address is right and the system behind it can be reached; it is tried again.",
            code="alert-not-sent",
            detail=_without_secrets(detail, address),
        )


def _without_secrets(text: str, address: str) -> str:
    """What was said, without any part of the address but its host: tokens stand in paths as well."""
    scheme, _, rest = address.partition("://")
    host = re.split(r"[/?:]", rest.rpartition("@")[2])[0]
    for part in sorted(set(re.split(r"[:/@?&=]+", rest)), key=len, reverse=True):
        if len(part) >= 4 and part not in (host, scheme):
            text = text.replace(part, "…")
    return text.strip()[:1000]
