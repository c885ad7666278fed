"""Keys of the person at the terminal, one by one."""

from __future__ import annotations

import os
import selectors
import termios
from collections.abc import Iterator

import pytest

from parproc.control import keys
from parproc.control.keys import Keys

DEADLINE_SECONDS = 10.0


class Keyboard:
    """A terminal that stands for standard input, with what was pressed there."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.selector = selectors.DefaultSelector()
        self.pressed: list[str] = []
        self.keys = Keys(self.selector, self.pressed.append)
        self.before = self.modes()

    def modes(self) -> list[object]:
        return list(termios.tcgetattr(self.slave))

    def is_single(self) -> bool:
        """Return whether keys arrive one by one and unseen."""
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO)

    def press(self, text: str) -> None:
        """Press keys; where they are read, until they have arrived, for a terminal takes its time."""
        expected = len(self.pressed) + len(text)
        os.write(self.master, text.encode())
        while self.selector.get_map() and len(self.pressed) < expected:
            self.look()

    def look(self) -> None:
        """Let what has arrived be read, once there is something, if anything is read at all."""
        for key, _ in self.selector.select(DEADLINE_SECONDS if self.selector.get_map() else 0):
            key.data()

    def close(self) -> None:
        self.selector.close()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyboard]:
    keyboard = Keyboard()
    monkeypatch.setattr(keys, 'STDIN', keyboard.slave)
    monkeypatch.setattr(os, 'tcgetpgrp', lambda _descriptor: os.getpgrp())  # it is in the foreground
    yield keyboard
    keyboard.close()


def test_each_key_is_passed_on_at_once(keyboard: Keyboard) -> None:
    keyboard.keys.take()
    keyboard.press('a')
    keyboard.press('bé')
    assert keyboard.pressed == ['a', 'b', 'é']


def test_keys_that_send_signals_still_do(keyboard: Keyboard) -> None:
    keyboard.keys.take()
    assert termios.tcgetattr(keyboard.slave)[3] & termios.ISIG


def test_the_terminal_is_as_before_when_it_is_given_back(keyboard: Keyboard) -> None:
    keyboard.keys.take()
    assert keyboard.is_single()
    keyboard.keys.give()
    assert keyboard.modes() == keyboard.before
    keyboard.press('a')
    assert not keyboard.pressed


def test_taking_and_giving_twice_is_as_good_as_once(keyboard: Keyboard) -> None:
    keyboard.keys.take()
    keyboard.keys.take()
    keyboard.keys.give()
    keyboard.keys.give()
    assert keyboard.modes() == keyboard.before
    keyboard.keys.take()
    keyboard.press('a')
    assert keyboard.pressed == ['a']


def test_in_the_background_the_terminal_is_left_alone(keyboard: Keyboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, 'tcgetpgrp', lambda _descriptor: os.getpgrp() + 1)
    keyboard.keys.take()
    assert keyboard.modes() == keyboard.before
    assert not keyboard.selector.get_map()


def test_modes_are_left_alone_where_the_process_went_into_the_background_meanwhile(
    keyboard: Keyboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyboard.keys.take()
    monkeypatch.setattr(os, 'tcgetpgrp', lambda _descriptor: os.getpgrp() + 1)
    keyboard.keys.give()
    assert keyboard.is_single()
    assert not keyboard.selector.get_map()


def test_what_is_no_terminal_is_not_read(keyboard: Keyboard, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    try:
        monkeypatch.setattr(keys, 'STDIN', reader)
        os.write(writer, b'a')
        keyboard.keys.take()
        keyboard.look()
        assert not keyboard.pressed
    finally:
        os.close(reader)
        os.close(writer)


def test_the_end_of_input_gives_the_terminal_back(keyboard: Keyboard, monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard.keys.take()
    monkeypatch.setattr(os, 'read', lambda _descriptor, _count: b'')
    os.write(keyboard.master, b'a')
    keyboard.look()
    assert keyboard.modes() == keyboard.before
    assert not keyboard.selector.get_map()
