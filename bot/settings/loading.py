"""Loading: the environment and the TOML file become settings, or one line per problem."""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.settings.error import SettingsError
from bot.settings.reference import CONFIG_VARIABLE, TABLES
from bot.settings.renamed import with_new_names
from bot.settings.secret import SECRETS, read_secret
from bot.settings.settings import Settings


def load_settings(**overrides: Any) -> Settings:
    """Read the environment and the TOML file; raises `SettingsError` with one line per problem."""
    values: dict[str, Any] = {}
    config = os.environ.get(CONFIG_VARIABLE)
    if config:
        values = with_new_names(_read_toml(Path(config)), config)
    for name in SECRETS:
        if os.environ.get(f"{name}_FILE") and not os.environ.get(name):
            values[name.lower()] = read_secret(name)
    values.update(overrides)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError("\n".join(_lines(error))) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{CONFIG_VARIABLE}: cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    for secret in SECRETS:
        if secret.lower() in values:
            raise SettingsError(f"{path}: {secret.lower()} is a secret: set {secret} or {secret}_FILE instead")
    return values


def _lines(error: ValidationError) -> list[str]:
    """Say each problem in one line, without the value, which may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        key = ".".join(map(str, problem["loc"]))
        what = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            near = get_close_matches(
                str(problem["loc"][-1]), [name for _, model in TABLES for name in model.model_fields], 1
            )
            what = f"there is no such setting{f': did you mean {near[0]}?' if near else ''}"
        lines.append(f"{key}: {what}" if key else what)
    return lines
