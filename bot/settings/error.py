"""What is said when the configuration cannot be used."""


class SettingsError(Exception):
    """The configuration cannot be used; each line of the text names one key and what to do."""
