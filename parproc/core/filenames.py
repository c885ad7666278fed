"""File names for logs: safe and distinct whatever the proc is called."""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(r'[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_-]+)*')
_UNSAFE = re.compile(r'[^A-Za-z0-9_-]+')
LONGEST_PLAIN_CHARACTERS = 100


def file_stem(name: str, separator: str = '::') -> str:
    """Return the file name, without suffix, for a proc.

    Lower-case names stay readable (``build::prod`` is ``build.prod``). Any other gets a hash, set off by ``~``, which
    no readable name contains: so names that differ only in case, which some file systems do not tell apart, in
    punctuation, or after their hundredth character never share a file.

    Args:
        name: any text.
        separator: what stands between the segments of the run's names.

    Example:
        >>> file_stem('build::prod')
        'build.prod'
    """
    plain = name.replace(separator, '.')
    if '.' not in name and len(plain) <= LONGEST_PLAIN_CHARACTERS and _PLAIN.fullmatch(plain):
        return plain
    digest = hashlib.blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=6).hexdigest()
    return f'{_UNSAFE.sub("_", name)[:60].lstrip("-")}~{digest}'
