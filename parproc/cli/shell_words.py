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


def bash_text(text: str, quote: str) -> str | None:
    """Return text in which nothing is special to bash; None where that cannot be had.

    Args:
        text: what it is to stand for.
        quote: the quote that is open before it.
    """
    if text.isalnum():
        return text
    if quote == "'":
        return None if quote in text else text
    if quote:
        return None if '!' in text else ''.join([f'\\{char}' if char in '"\\$`' else char for char in text])
    return ''.join([char if char.isalnum() or char in PLAIN or char > '\x7f' else f'\\{char}' for char in text])
