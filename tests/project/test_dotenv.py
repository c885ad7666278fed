"""What a file of environment variables means, and what is refused in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from parproc.errors import UserError
from parproc.project.dotenv import read_dotenv


def read(folder: Path, text: str) -> dict[str, str]:
    (folder / '.env').write_text(text)
    return read_dotenv(str(folder / '.env'))


@pytest.mark.parametrize(
    ('line', 'value'),
    [
        ('A=b', 'b'),
        ('A=', ''),
        ('  export A = b  ', 'b'),
        ('A=b c', 'b c'),
        ('A=b # a comment', 'b'),
        ('A=b#c', 'b#c'),
        ('A=#c', '#c'),
        ("A='b # c'", 'b # c'),
        ("A='b\\n'", 'b\\n'),
        ('A="b # c" # a comment', 'b # c'),
        (r'A="b\n\t\"\\\$"', 'b\n\t"\\$'),
        ('A=$HOME', '$HOME'),
        ('A=b=c', 'b=c'),
        ('A=\xe4', '\xe4'),
    ],
)
def test_a_line_is_a_variable_as_a_shell_would_quote_it(tmp_path: Path, line: str, value: str) -> None:
    assert read(tmp_path, f'{line}\n') == {'A': value}


def test_empty_lines_and_comments_say_nothing_and_the_last_value_counts(tmp_path: Path) -> None:
    assert read(tmp_path, '\n# A=1\n   # B=2\nA=3\r\nB=4\nA=5') == {'A': '5', 'B': '4'}


@pytest.mark.parametrize('line', ['A', '1A=b', 'A B=c', "A='b", 'A="b', "A='b' c", '=b', 'A-B=c'])
def test_a_line_that_says_no_variable_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(UserError, match=r'\.env:2: not a variable: .*write NAME=value'):
        read(tmp_path, f'B=1\n{line}\n')


def test_a_file_that_is_not_there_has_no_variables(tmp_path: Path) -> None:
    assert read_dotenv(str(tmp_path / 'none')) == {}


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / '.env').write_bytes(b'A=\xff\n')
    with pytest.raises(UserError, match='cannot be read'):
        read_dotenv(str(tmp_path / '.env'))


def test_a_file_that_somebody_else_can_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / '.env'
    path.write_text('A=b\n')
    path.chmod(0o666)
    with pytest.raises(UserError):
        read_dotenv(str(path))
