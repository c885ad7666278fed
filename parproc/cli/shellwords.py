"""Words of a command line as shells split them, and values as bash wants them back."""

from __future__ import annotations

PLAIN = '_-./:@%+,='


def split_line(text: str) -> tuple[list[str], str]:
    """Return the words of a line as it was typed, and the quote that is still open at its end.

    Args:
        text: may end in the middle of a word; where it ends with a blank, the last word is empty.
    """
    words: list[str] = []
    word: list[str] | None = None
    quote = ''
    place = 0
    while place < len(text):
        char = text[place]
        place += 1
        if char == '\\' and quote != "'" and place < len(text):
            following = text[place]
            place += 1
            if quote == '"' and following not in '"\\$`':
                following = char + following
            word = [*(word or []), following]
        elif quote and char == quote:
            quote = ''
        elif quote:
            word = [*(word or []), char]
        elif char in '\'"':
            quote = char
            word = word or []
        elif char.isspace():
            if word is not None:
                words.append(''.join(word))
            word = None
        else:
            word = [*(word or []), char]
    words.append(''.join(word or []))
    return words, quote


def bash_reply(value: str, typed: str, replaced: str, quote: str) -> str | None:
    """Return what bash has to put in place of the end of a word, so that the word becomes ``value``.

    Args:
        value: begins with ``typed``.
        typed: the word so far.
        replaced: its end behind the last character that bash breaks words at, as it was typed.
        quote: the quote that is open.

    Returns:
        Text in which nothing is special to bash; None where that cannot be had within the quote.
    """
    end = split_line(quote + replaced)[0][-1]
    rest = value[max(0, len(typed) - len(end)) :]
    if quote == "'":
        return None if quote in rest else rest
    if quote:
        return None if '!' in rest else ''.join(f'\\{char}' if char in '"\\$`' else char for char in rest)
    return ''.join(char if char.isalnum() or char in PLAIN or char > '\x7f' else f'\\{char}' for char in rest)
