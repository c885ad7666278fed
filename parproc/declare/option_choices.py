"""What some options can be. The command line completes these at once, so this module imports nothing."""

from __future__ import annotations

MODES = ('mp', 'single')
OUTPUTS = ('auto', 'raw', 'live', 'plain', 'stream', 'group', 'quiet', 'json', 'github')
