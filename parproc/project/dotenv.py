"""Files of environment variables: ``NAME=value`` a line, quotes and comments as in shells, nothing expanded."""

from __future__ import annotations

import os
import re

from parproc.errors import UserError
from parproc.project.trust import read_trusted

_LINE = re.compile(
    r"""\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*
        (?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<bare>[^\n'"]*?))
        \s*(?:(?<=\s)\#.*)?""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {'n': '\n', 't': '\t', 'r': '\r'}


def read_dotenv(path: str) -> dict[str, str]:
    """Return the variables of a file; none where there is no such file, which often is in nobody's repository.

    Raises:
        UserError: when somebody else could have written it, and for a line that says no variable.
    """
    if not os.path.exists(path):
        return {}
    try:
        lines = read_trusted(path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f'{path} cannot be read: {error}') from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith('#'):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise UserError(f'{path}:{number}: not a variable: {line.strip()}', hint='write NAME=value')
        if match['double'] is not None:
            value = re.sub(r'\\(.)', lambda escape: _ESCAPES.get(escape[1], escape[1]), match['double'])
        else:
            value = match['single'] if match['single'] is not None else match['bare']
        found[match['name']] = value
    return found
