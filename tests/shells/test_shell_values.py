"""A value in text for a shell stays one value, and unchanged, in every shell that is installed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from parproc.core.commands import text
from parproc.errors import UserError

Result = TypeVar('Result')
SHELLS = {
    name: words
    for name, words in {
        'sh': ['/bin/sh'],
        'dash': ['dash'],
        'bash': ['bash'],
        'bash as sh': ['bash', '--posix'],
        'zsh': ['zsh', '-f'],
        'zsh as sh': ['zsh', '--emulate', 'sh', '-f'],
        'ksh': ['ksh'],
        'mksh': ['mksh'],
        'busybox': ['busybox', 'sh'],
    }.items()
    if shutil.which(words[0]) and (name != 'sh' or os.path.basename(os.path.realpath(words[0])) != 'dash')
}
DIFFERENT: dict[str, Callable[[str, str], bool]] = {
    'dash': lambda source, _: "$'" in source and '\\' in source,
    'sh': lambda source, _: "$'" in source and '\\' in source,
    'zsh as sh': lambda source, _: '$\\\n' in source,
    'ksh': lambda source, value: (not value and '${' in source) or '$\\\n' in source or '{a,' in source,
    'busybox': lambda source, value: '[[' in source and value != 'dev',
}
"""Where a shell reads a text, or an empty word, in a way of its own, with and without values."""
NOT_FOR_NOTHING = {
    'y=1{x}2; show "${y#*{x}}" "${y%%{x}*}"',
    'y=1{x}2; show "${y/{x}/b}" "${y/1/{x}}"',
    '[[ a{x} == "a{x}" && ( -n {x} ) ]] && show {x} || show no {x}',
    'show ~{x}',
    'show {x}=a',
    'show ={x}',
    'test -n "{x}" && show {x}; show end',
}
PRELUDE = 'show() { for word do printf "<%s>" "$word"; done; }\nfeed() { printf "<%s>" "$(cat; echo .)"; }\n'
TOKENS = ('qQ7q', 'qQ8q')
MOST_EVIL = (
    'a  b*\'; "$(touch pwned)" `touch pwned` $HOME ${x} \\ \\\\ & | > pwned # {y} !x );}\ntouch pwned\n'
    '\tEOF\nEOF\n\tEOF\nA\nB\n\nF\n; touch pwned;{('
)
EVIL = [
    *('F', '2', '-n', '*', '~', '', ' ', '\\', '\\\n', 'esac', '|', '&', "it isn't", 'dev', 'é\u202e☃', '\tEOF\nEOF\n'),
    *('"; touch pwned; "', "'; touch pwned; '", '\'"; touch pwned; "\'', '\n)\ntouch pwned\n', ');touch pwned;('),
    *('`touch pwned`', '$(touch pwned)', 'a[$(touch pwned)]', '};touch pwned;{'),
]


@dataclass(frozen=True)
class Ended:
    """How a shell ended, and what the program in it was given."""

    code: int
    given: bytes


def run(shell: list[str], command: str, folder: Path) -> Ended:
    done = subprocess.run(
        [*shell, '-euc', PRELUDE + command],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=20,
        check=False,
        cwd=folder,
        env={'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8', 'HOME': '/nowhere'},
    )
    return Ended(done.returncode, done.stdout)


def in_each_shell(check: Callable[[str, Path], Result], folder: Path) -> list[Result]:
    """Call ``check`` with each shell's name and a folder of its own, all at the same time."""
    folders = [folder / name for name in SHELLS]
    for own in folders:
        own.mkdir(exist_ok=True)
    with ThreadPoolExecutor(len(SHELLS)) as pool:
        return list(pool.map(check, SHELLS, folders))


def holds(source: str, values: Sequence[str], folder: Path, tokens: Sequence[str] = TOKENS) -> None:
    """Check that text means with each value what it means with a harmless word, in each shell that can read it.

    The harmless words show what the program is to be given in each place. One run has a line for each value.
    """
    filled = text(source)

    def read_in(name: str, own_folder: Path) -> list[str]:
        """Check one shell and return the values with which it can read the text."""
        same = [
            value
            for value in values
            if not any(name.startswith(shell) and is_so(source, value) for shell, is_so in DIFFERENT.items())
        ]
        harmless = dict(zip(tokens, same, strict=False))
        meant = run(SHELLS[name], '\n'.join(source.replace('{x}', token) for token in harmless), own_folder)
        if meant.code or not same:
            return []
        command = '\n'.join(filled.filled({'x': value}, ())[-1] for value in same)
        found = run(SHELLS[name], command, own_folder)
        assert not (own_folder / 'pwned').exists(), (name, command)
        expected = meant.given
        for token, value in harmless.items():
            expected = expected.replace(token.encode(), value.encode())
        assert found.given == expected, (name, command, found, expected)
        assert found.code == 0, (name, command)
        return same

    read = in_each_shell(read_in, folder)
    for value in values:
        assert any(value in same for same in read), (source, value)


KEPT = [
    'show {x}',
    'show a{x}b',
    'show {x}{x}',
    'show "{x}"',
    'show "a {x} b"',
    "show '{x}'",
    "show 'a {x} b'",
    "show $'a\\tb{x}c'",
    "show $'a{x}c\\td{x}'",
    "show $'a{x}'",
    'show \\{x}',
    'show "\\{x}"',
    "show '\\{x}'",
    'show \\\\{x}',
    'y=$(show {x}); show "$y"',
    'show "$(show {x})"',
    'show "$(show "{x}")"',
    'show "$(show \'{x}\')"',
    'show "`show {x}`"',
    'show "`show "{x}"`"',
    'show "`show \\"{x}\\"`"',
    'show "`show \'{x}\'`"',
    'y=`show {x}`; show "$y"',
    'show "`y=\\`show {x}\\`; show \\"$y\\"`"',
    'show ${u:-{x}}',
    'show "${u:-{x}}"',
    'show "${u:-a {x} b}"',
    'show "${u:-"{x}"}"',
    'show "${u:-"a {x} b"}"',
    'show "${u:-\'{x}\'}"',
    "show ${u:-'{x}'}",
    'show ${u:-"{x}"}',
    'show ${u-a{x}b}',
    'show "${u:-${w:-{x}}}"',
    'show "${u:-"${w:-{x}}"}"',
    'show ${u:-${w:-{x}}}',
    'show ${PATH:+{x}}',
    'y=1{x}; show "${y#1}" "${y%{x}}" ${y%"{x}"} "${y%\'{x}\'}"',
    'y=1{x}2; show "${y#*{x}}" "${y%%{x}*}"',
    'y=1{x}2; show "${y/{x}/b}" "${y/1/{x}}"',
    'y={x}; show "$y"',
    'y=a{x}b w="{x}"; show "$y$w"',
    'y={x} env | sed -n "/^y=/,/^[a-zA-Z_]*=/p" >/dev/null; show done',
    'feed <<EOF\n{x}\nEOF\n',
    'feed <<EOF\na{x}b\nF\nEO{x}\nEOF\nshow {x}',
    "feed <<'EOF'\n{x}\nEO{x}\n$HOME `a` \\ \\\\ \\$ ' \" {x}\nEOF\nshow after {x}",
    'feed <<"EOF"\n{x}\nEOF\n',
    'feed <<\\EOF\n{x} $HOME\nEOF\n',
    'feed <<E"O"F\n{x} $HOME\nEOF\nshow {x}',
    'feed <<EO\\\nF\n{x}\nEOF\nshow {x}',
    'feed <<-EOF\n\t{x}\n\t\tb\n\tEOF\nshow {x}',
    "feed <<-'EOF'\n\t{x} $HOME\n\t\tb\n\tEOF\nshow {x}",
    "feed <<'E F'\n{x}\nE F\nshow {x}",
    "feed <<''\n{x}\n\nshow {x}",
    "cat <<A <<'B'\n{x}\nA\n{x}$y\nB\nshow {x}",
    "feed <<'A'; feed <<B; show {x}\n{x}\nA\n{x}\nB\nshow {x}",
    "feed <<EOF # it isn't {x}\n{x}\nEOF\nshow {x}",
    'feed <<EOF\n$(show {x}) `show {x}` ${u:-{x}} ${u:-"{x}"} \\{x} "{x}" \'{x}\'\nEOF\nshow {x}',
    'feed <<EOF\nx\\\nEOF\n{x}\nEOF\nshow {x}',
    'feed <<EOF\nx \\\\\nEOF\nshow {x}',
    'show "$(feed <<\'EOF\'\n{x} ) " \' $HOME\nEOF\n)" {x}',
    "(feed <<'EOF')\n{x}\nEOF\nshow {x}",
    'if show a; then feed <<EOF; fi\n{x}\nEOF\nshow {x}',
    'feed <<<{x}',
    'feed <<<"a {x}"',
    'feed <<EOF "{x}"\n{x}\nEOF\nshow {x}',
    'printf %s {x}>file; feed <file',
    'printf %s a{x}>file; feed <file',
    'printf %s {x} >file; feed <file',
    'printf %s {x}>>file; feed <file; rm file',
    ': >file; show {x}<file; rm file',
    'printf %s 1{x}2>file; feed <file',
    'show {x} 2>&1',
    'show {x}>&2',
    '# {x}\nshow fine',
    "# it isn't {x}\nshow {x}",
    "show {x} # it isn't\nshow '{x}'",
    "show a#'{x}'",
    'show {x}# "{x}"',
    "show $(show a # it's )\n) {x} '{x}'",
    "show `show a # it's {x}`\nshow {x} '{x}'",
    "show a;# it's {x}\nshow {x}",
    "show a \\\n# it's {x}\nshow {x}",
    'show "$(case x in x) show {x};; esac)"',
    'show "$(case {x} in (a) show no;; {x}) show "{x}";; *) show never;; esac)" {x}',
    'show "$(case x in x|y) show {x} ;& z) show "{x}";; esac)" \'{x}\'',
    'show "$(case x in x) show {x}; esac)" \'{x}\'',
    'show "$(case x in x) case y in y) show {x};; esac;; esac)" "{x}"',
    'show "$(if case x in x) true;; esac then show {x}; fi)" "{x}"',
    'case {x} in "{x}") show "{x}";; *) show no;; esac',
    'case "a{x}" in a{x}) show {x} ;; *) show no ;; esac',
    '[[ {x} == {x} ]] && show {x}',
    '[[ a{x} == "a{x}" && ( -n {x} ) ]] && show {x} || show no {x}',
    '[[ x =~ ^(x|y)$ ]] && show "{x}"',
    '[ {x} = {x} ] && show yes',
    'show $((1 + 2)) {x}',
    'show $(( (1 + 2) * 3 )) "{x}"',
    'show $((1 << 2)) {x}\nshow "{x}"',
    'show "$((show a); (show {x}))" {x}',
    'a=(x {x} "{x}"); show "${a[@]}"',
    'for y in a {x} "{x}"; do show "$y"; done',
    'for y in {x}; do show "$y"; done; show {x}',
    'f() { show {x} "$@"; }; f "{x}"',
    'f () { show {x} "$@"\n}\nf "{x}"',
    'function f { show {x}; }; f',
    '{ show {x}; }',
    '( show {x} )',
    'show {x} | cat',
    'show {x} && show "{x}" || show no',
    'show {x}; show {x}',
    'if show {x}; then show "{x}"; fi',
    'while show {x}; do show "{x}"; break; done',
    'show \\\n{x}',
    'show a\\\n{x}',
    'show "a\\\n{x}"',
    'show "$\\\n(show {x})"',
    'show "$\\\n{u:-{x}}"',
    'fee\\\nd <\\\n<EOF\n{x}\nEOF\n',
    'show $#{x} $?{x} "$#{x}"',
    'show ~{x}',
    'show ={x}',
    'show --y={x} /a/{x}/b -{x}',
    'show {x}=a',
    'show {a,{x}}',
    'show [{x}] "[{x}]"',
    'show *{x}',
    'show a{x}*',
    'feed < <(show {x})',
    'show "$(<<EOF cat\n{x}.\nEOF\n)"',
    'set -- {x} "{x}"; show "$@"',
    'export y={x}; show "$y"',
    'trap : {x} 2>/dev/null || :; show {x}',
    'show {x} ! { } "if" then',
    'show eval {x} trap {x}',
    'y={x}; eval \'show "$y"\'',
    'export y={x}; sh -c \'printf "<%s>" "$y"\'',
    'sh -c \'printf "<%s>" "$1"\' sh {x}',
    'printf "<%s>" {x} "{x}"',
    'test -n "{x}" && show {x}; show end',
    'show "it\'s {x}" \'"{x}"\' {x}',
    "show 'it'\\''s {x}'",
    '! show {x} || :',
    'time -p show {x} 2>/dev/null',
    'eval show y; show {x}',
    'sh -c cat <<E\n{x}.\nE\nshow y',
    'exec 3>&1; show {x}',
]


@pytest.mark.parametrize('source', KEPT)
def test_a_value_stays_one_value_in_every_shell(source: str, tmp_path: Path) -> None:
    values = (MOST_EVIL, random.Random(source).choice(EVIL))
    holds(source, [value for value in values if value or source not in NOT_FOR_NOTHING], tmp_path)


REFUSED = [
    ('cat <<{x}\na\n{x}\n', 'ends a here-document'),
    ('cat <<E{x}\na\nE\n', 'ends a here-document'),
    ("cat <<'E{x}'\na\nE\n", 'ends a here-document'),
    ('cat <<-\\{x}\na\nE\n', 'ends a here-document'),
    ('cat <<E\n{x}\n', 'does not end'),
    ('cat <<E\n{x}\nE \n', 'does not end'),
    ('y=$(cat <<E)\n{x}\nE\n', 'does not end'),
    ('cat <<EO\nE\\\nO\n{x}\nEO\n', 'do not agree'),
    ('cat <<E "$(echo\n)"\n{x}\nE\n', 'do not agree'),
    ('cat <<E "`echo\n`"\n{x}\nE\n', 'do not agree'),
    ("cat <<$'E'\n{x}\nE\n", 'do not agree'),
    ('cat <<E\n${y#{x}}\nE\n', 'pattern in a here-document'),
    ("y=`cat <<'E'\n{x}\nE\n`", 'backticks'),
    ('eval {x}', 'run as a command'),
    ('eval "echo {x}"', 'run as a command'),
    ("eval 'echo {x}'", 'run as a command'),
    ('command eval "${y:-{x}}"', 'run as a command'),
    ('if y=1 eval "echo {x}"; then :; fi', 'run as a command'),
    ('case x in x) eval {x};; esac', 'run as a command'),
    ('f() { eval {x}; }', 'run as a command'),
    ('f () { eval {x}; }', 'run as a command'),
    ('echo a | ( eval {x} )', 'run as a command'),
    ('while true; do eval {x}; done', 'run as a command'),
    ('for y in a; do eval {x}; done', 'run as a command'),
    ('[[ a ]] && eval {x}', 'run as a command'),
    ('>file 2>&1 eval {x}', 'run as a command'),
    ('y=$(eval {x})', 'run as a command'),
    ("trap 'rm {x}' EXIT", 'run as a command'),
    ('trap -- "rm {x}" EXIT', 'run as a command'),
    ('alias y={x}', 'run as a command'),
    ("sh -c 'echo {x}'", 'run as a command'),
    ('bash -euo pipefail -c "echo {x}"', 'run as a command'),
    ('sudo -u me /bin/bash -lc "echo {x}"', 'run as a command'),
    ('busybox sh -ec {x}', 'run as a command'),
    ('find . -exec sh -c \'echo "$1" {x}\' sh "{}" +', 'run as a command'),
    ('bash <<E\necho {x}\nE\n', 'another shell runs'),
    ("sudo sh -s <<'E'\necho {x}\nE\n", 'another shell runs'),
    ('bash <<<{x}', 'run as a command'),
    ('command -p eval {x}', 'run as a command'),
    ('exec eval {x}', 'run as a command'),
    ('- eval {x}', 'run as a command'),
    ('command exec eval {x}', 'run as a command'),
    ('eval "$(echo {x})"', 'run as a command'),
    ('eval "`echo \\`echo {x}\\``"', 'run as a command'),
    ('eval "$( (echo {x}) )"', 'run as a command'),
    ('eval "$(cat <<E\n{x}\nE\n)"', 'another shell runs|run as a command'),
    ('sh -c "$(echo "$(echo {x})")"', 'run as a command'),
    ('mapfile -C {x} y', 'run as a command'),
    ('compgen -W "{x}"', 'run as a command'),
    ('print -P {x}', 'run as a command'),
    ('bash -s y <<E\n{x}\nE\n', 'another shell runs'),
    ('<<E sh\n{x}\nE\n', 'another shell runs'),
    ('if <<E sh; then\n{x}\nE\n:; fi', 'another shell runs'),
    ('. /dev/stdin <<E\n{x}\nE\n', 'another shell runs'),
    ("sh - <<'E'\n{x}\nE\n", 'another shell runs'),
    ('sh <<E\n$(echo {x})\nE\n', 'another shell runs'),
    ('echo ${{x}:-a}', 'name of a variable'),
    ('echo "${#{x}}"', 'name of a variable'),
    ("echo {x} 'it", 'not closed'),
    ('echo {x} "it', 'not closed'),
    ('echo {x} `it', 'not closed'),
    ('echo {x} $(it', 'not closed'),
    ('echo {x} ${it', 'not closed'),
    ('echo {x} )', 'closes nothing'),
    ('echo {x} ' + '$(' * 500, 'too many'),
    ('echo {x} ' + '${y:-' * 500, 'too many'),
    ('echo {x} ' + '$(( ' * 50, 'too many'),
    ('echo {x} ' + '$((( ' * 28 + ' ) ) )' * 28, 'too many'),
]


@pytest.mark.parametrize(('source', 'said'), REFUSED)
def test_where_a_value_cannot_be_kept_it_is_refused_before_anything_runs(source: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        text(source)
    assert caught.value.hint is not None
    assert 'export value={x}' in caught.value.hint


def test_a_value_that_zsh_takes_for_a_program_s_path_stays_what_it_is(tmp_path: Path) -> None:
    for source in KEPT[:1]:
        holds(source, ['=ls'], tmp_path)


def test_a_text_that_no_shell_takes_is_refused() -> None:
    with pytest.raises(UserError, match='NUL'):
        text('echo {x}\0')


CALCULATED = [
    'show $(( {x} + 1 ))',
    'show $(({x}))',
    'show "$(( ${u:-{x}} ))"',
    'show $((5-{x}))',
    '(( {x} )); show yes',
    'for ((i=0; i<{x}; i++)); do show "$i"; done',
    'show $[{x}+1]',
    '[ {x} -eq 1 ] || show no',
    '[ 1 -eq "{x}" ] || show no',
    "test '{x}' -gt 1 && show yes",
    '[[ {x} -eq 1 || 1 -le {x} ]] && show yes',
    'a[{x}]=1; show a',
    'a=([{x}]=1); show a',
    'y=abcdefghi; show "${y:{x}}"',
    'y=abcdefghi; show "${y:1:{x}}"',
    'a=(1 2 3 4 5 6); show "${a[{x}]}"',
    'a=(1 2 3 4 5 6); show "$a[{x}]"',
    'let y={x}; show "$y"',
    'let "y = {x} + 1"; show "$y"',
    '(exit {x}) || show $?',
    'f() { return {x}; }; f || show $?',
    'set 1 2 3 4 5 6; shift {x}; show "$@"',
    'typeset -i y={x}; show "$y"',
    'ulimit -n {x}; show done',
]


@pytest.mark.parametrize('source', CALCULATED)
def test_what_a_shell_calculates_with_must_be_a_number(source: str, tmp_path: Path) -> None:
    holds(source, ['3'], tmp_path, tokens=['3'])
    for value in ('a[$(touch pwned)]', '', '1 2', '1;touch pwned', MOST_EVIL):
        with pytest.raises(UserError, match='no whole number'):
            text(source).filled({'x': value}, ())


def test_a_negative_number_keeps_its_sign(tmp_path: Path) -> None:
    assert (
        run(next(iter(SHELLS.values())), text('show $((5-{x})) "$((2*{x}))"').filled({'x': -3}, ())[-1], tmp_path).given
        == b'<8><-6>'
    )


NAMED = [
    'export {x}=1',
    'read {x} <file',
    'unset {x}',
    'typeset "{x}=1"',
    'printf -v {x} a',
    '[[ -v {x} ]]',
    'getopts a {x}',
]


@pytest.mark.parametrize('source', NAMED)
def test_what_names_a_variable_of_the_shell_must_be_a_name(source: str) -> None:
    text(source).filled({'x': 'y_1'}, ())
    for value in ('a[$(touch pwned)]', '', 'a b', '1a', 'é'):
        with pytest.raises(UserError, match='no name of one'):
            text(source).filled({'x': value}, ())


def test_a_value_behind_a_variable_is_no_part_of_its_name(tmp_path: Path) -> None:
    command = text('y=1; show $y{x} "$y{x}" $y{x}$y "$y-{x}"').filled({'x': 'a'}, ())[-1]
    for words in SHELLS.values():
        assert run(words, command, tmp_path).given.startswith(b'<1a><1a><1a1><1-a>')


def test_a_harmless_value_is_seen_as_it_is_where_it_can_mean_nothing_else() -> None:
    source = 'make build ENV={x} -C "out/{x}" \'{x}\' | tee build-{x}.log'
    assert text(source).filled({'x': 'dev'}, ())[-1] == source.replace('{x}', 'dev')


def test_extra_arguments_are_one_word_each_in_every_kind_of_quotes(tmp_path: Path) -> None:
    arguments = (MOST_EVIL, 'b', '')
    for source in ('show {extra_args}', "show '{extra_args}'"):
        for words in SHELLS.values():
            given = run(words, text(source).filled({}, arguments)[-1], tmp_path).given
            assert given == ''.join(f'<{argument}>' for argument in arguments).encode()


BEFORE = st.text(st.sampled_from('ab \n\t\'"`$(){}[];&|<>\\#=-/~!*:E'), max_size=8)
WORDS = st.recursive(
    st.sampled_from(['{x}', 'a', 'a{x}', '$u', '${u:-{x}}', "'{x}'", "' \" '", '\\{x}', '\\"', "\\'", '"', "$'{x}'"])
    | BEFORE,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(''.join),
        inner.map(lambda word: f'"{word}"'),
        inner.map(lambda word: f'"$(show {word})"'),
        inner.map(lambda word: f'"`show {word}`"'),
        inner.map(lambda word: f'"${{u:-{word}}}"'),
        inner.map(lambda word: f'"$(case {word} in {word}) show {word};; esac)"'),
        inner.map(lambda word: f'"$(cat <<EOF\n{word}\nEOF\n)"'),
        inner.map(lambda word: f'"$(cat <<\'EOF\' # {word}\n{word}\nEOF\n)"'),
    ),
    max_leaves=6,
)


@given(words=st.lists(WORDS, min_size=1, max_size=3), value=st.sampled_from([MOST_EVIL, *EVIL]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(words=['"$(case x in x) show {x};; esac)"', "{x} # it isn't"], value=MOST_EVIL)
def test_whatever_is_in_whatever_a_value_runs_nothing(words: list[str], value: str, tmp_path: Path) -> None:
    source = f'show {" ".join(words)}\nshow {{x}} "{{x}}"'
    try:
        command = text(source).filled({'x': value}, ())[-1]
    except UserError:
        return

    def run_in(name: str, own_folder: Path) -> None:
        run(SHELLS[name], command, own_folder)
        assert not (own_folder / 'pwned').exists(), (name, source, command)

    in_each_shell(run_in, tmp_path)
