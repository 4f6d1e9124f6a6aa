"""Settings: everything that can be configured, in one place, checked at start.

Secrets come from environment variables (or from files named by `<NAME>_FILE`); sources, channels and limits
from a TOML file named by COMPARE_TRACES_CONFIG. Without a file, JAEGER_URL and TEMPO_URL define one source each.

    endpoints.py, bounds.py, pages.py, reach.py, redaction.py: the tables of the file, one idea each
    settings.py: all of them together    loading.py: where they come from    reference.py: the page about them
"""

from bot.settings.bounds import CacheSettings, EvidenceSettings, Limits, Retention
from bot.settings.endpoints import ChangeSettings, Endpoint, LogSettings, MetricSettings, SourceSettings
from bot.settings.error import SettingsError
from bot.settings.loading import load_settings
from bot.settings.pages import LinkSettings
from bot.settings.reach import ChannelSettings, TokenSettings
from bot.settings.redaction import Redaction
from bot.settings.reference import reference
from bot.settings.secret import SECRETS
from bot.settings.settings import Settings

__all__ = [
    "SECRETS",
    "CacheSettings",
    "ChangeSettings",
    "ChannelSettings",
    "Endpoint",
    "EvidenceSettings",
    "Limits",
    "LinkSettings",
    "LogSettings",
    "MetricSettings",
    "Redaction",
    "Retention",
    "Settings",
    "SettingsError",
    "SourceSettings",
    "TokenSettings",
    "load_settings",
    "reference",
]
