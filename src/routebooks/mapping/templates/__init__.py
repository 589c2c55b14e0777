"""The maps that come with the product; each begins the map of a flow and is changed there."""

from __future__ import annotations

from importlib.resources import files

from routebooks.errors import ConfigError
from routebooks.mapping.model import Map, load_map
from routebooks.mapping.problems import did_you_mean

_ENDING = ".yaml"


def template_names() -> tuple[str, ...]:
    """The names of the templates, in alphabetical order."""
    names = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING)))


def load_template(name: str) -> Map:
    """The map of a template. Raises ConfigError when there is none of this name."""
    return load_map(template_text(name))


def template_text(name: str) -> str:
    """The YAML text of a template, with its comments. Raises ConfigError when there is none of this name."""
    names = template_names()
    if name not in names:
        hint = did_you_mean(name, names) or f"There are {', '.join(names)}."
        raise ConfigError(f"There is no map template {name}", hint=hint, code="map-no-template")
    return files(__name__).joinpath(name + _ENDING).read_text(encoding="utf-8")
