"""The settings, as frozen values checked all at once.

Where they come from: ``--config FILE``, else ``$PAPERDIGEST_CONFIG``, else
``$XDG_CONFIG_HOME/paperdigest/config.toml``; a missing default file means the defaults, a missing named
file is a mistake. Secrets come from the environment or from files only and print as ``********``.

All sizes and durations carry their unit in the key.
"""

from paperdigest.config.loading import default_config_path, load_settings, problems_of
from paperdigest.config.mail import BounceSettings, DkimSettings, MailSettings
from paperdigest.config.settings import Settings, data_dir
from paperdigest.config.tables import SourceSettings

__all__ = [
    "BounceSettings",
    "DkimSettings",
    "MailSettings",
    "Settings",
    "SourceSettings",
    "data_dir",
    "default_config_path",
    "load_settings",
    "problems_of",
]
