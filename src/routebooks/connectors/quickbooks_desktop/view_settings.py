"""The settings that the views need: where the codes come from, and which kinds of code are delivered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from routebooks.connectors.base import Setting
from routebooks.errors import ConfigError

_CUSTOM = "A custom field of {} as QuickBooks calls it, or any of their fields; of several, the first that is filled."
_KIND = "The kind (Detail #) of {} codes in detail.fil. Empty: they are left out."

VIEW_SETTINGS: tuple[Setting, ...] = (
    Setting(name="category_field", default="Category", help=f"Categories: {_CUSTOM.format('customers')}"),
    Setting(name="chain_field", default="Chain, ParentRef.FullName", help=f"Chains: {_CUSTOM.format('customers')}"),
    Setting(name="region_field", default="Region", help=f"Regions: {_CUSTOM.format('customers')}"),
    Setting(name="team_field", default="Team", help=f"Sales teams: {_CUSTOM.format('customers')}"),
    Setting(name="brand_field", default="Brand", help=f"Brands: {_CUSTOM.format('items')}"),
    Setting(name="product_type_field", default="ProductType", help=f"Product types: {_CUSTOM.format('items')}"),
    Setting(
        name="status_codes",
        default="Y=Active, N=Inactive",
        help="The codes for a customer's status and what they mean, with commas between them.",
        assumed=True,
    ),
    Setting(name="detail_supplier", default="", help=_KIND.format("supplier"), assumed=True),
    Setting(name="detail_brand", default="", help=_KIND.format("brand"), assumed=True),
    Setting(name="detail_product_type", default="", help=_KIND.format("product type"), assumed=True),
)

_DEFAULTS = {setting.name: str(setting.default) for setting in VIEW_SETTINGS}


def view_setting(settings: Mapping[str, Any], name: str) -> str:
    """The value of a setting, or its default."""
    value = settings.get(name)
    return _DEFAULTS[name] if value is None else str(value).strip()


def names(settings: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The names in a setting that lists some."""
    return tuple(part.strip() for part in view_setting(settings, name).split(",") if part.strip())


def detail_kind(settings: Mapping[str, Any], name: str) -> str:
    """The number of a kind of code, or nothing. Raises ConfigError when it is no number."""
    kind = view_setting(settings, name)
    if kind and not re.fullmatch(r"[0-9]{1,9}", kind):
        raise ConfigError(
            f"{name} is {kind!r}, which is no number.",
            hint="Write the number that Inventiv gave you for this kind of code, or leave it empty.",
            code="qb-detail-kind",
        )
    return kind


def status_codes(settings: Mapping[str, Any]) -> dict[str, str]:
    """The status codes with their meanings; a code without one means itself."""
    pairs = (part.partition("=") for part in names(settings, "status_codes"))
    return {code.strip(): meaning.strip() or code.strip() for code, _, meaning in pairs if code.strip()}
