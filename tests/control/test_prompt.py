"""Questions of tasks: one after the other, answered line by line."""

from __future__ import annotations

import os
import selectors
from collections.abc import Iterator, Mapping

import pytest

from parproc.control import prompt
from parproc.control.prompt import Prompter

DEADLINE_SECONDS = 10.0
ENDED: Mapping[str, object] = {'error': 'no answer: standard input has ended'}


class Person:
    """Standard input, a pipe, and all that a prompter says and hears of it."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.selector = selectors.DefaultSelector()
        self.answers: list[tuple[str, Mapping[str, object]]] = []
        self.said: list[str] = []
        self.aside: list[bool] = []
        self.prompter = Prompter(
            self.selector, lambda name, answer: self.answers.append((name, answer)), self.aside.append, self.said.append
        )

    def types(self, text: str) -> None:
        """Type, and let the prompter read it."""
        os.write(self.writer, text.encode())
        self.look()

    def leaves(self) -> None:
        """End standard input."""
        os.close(self.writer)
        self.writer = -1
        self.look()

    def look(self) -> None:
        """Let what has arrived be read, once there is something, if anything is read at all."""
        for key, _ in self.selector.select(DEADLINE_SECONDS if self.selector.get_map() else 0):
            key.data()

    def close(self) -> None:
        self.prompter.close()
        self.selector.close()
        os.close(self.reader)
        if self.writer >= 0:
            os.close(self.writer)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    person = Person()
    monkeypatch.setattr(prompt, 'STDIN', person.reader)
    yield person
    person.close()


def test_a_question_is_put_with_the_name_of_its_task_and_answered_with_the_line(person: Person) -> None:
    person.prompter.ask('a', 'how many?', hidden=False)
    assert person.said == ['a: how many? ']
    person.types('thr')
    assert not person.answers
    person.types('ee\r\n')
    assert person.answers == [('a', {'text': 'three'})]
    assert person.aside == [True, False]


def test_questions_are_put_one_after_the_other(person: Person) -> None:
    person.prompter.ask('a', 'first?', hidden=False)
    person.prompter.ask('b', 'second?', hidden=False)
    assert person.said == ['a: first? ']
    person.types('1\n')
    assert person.said == ['a: first? ', 'b: second? ']
    person.types('2\n')
    assert person.answers == [('a', {'text': '1'}), ('b', {'text': '2'})]


def test_lines_that_were_typed_at_once_answer_one_question_each(person: Person) -> None:
    person.prompter.ask('a', 'first?', hidden=False)
    person.prompter.ask('b', 'second?', hidden=False)
    person.types('1\n2\n')
    assert person.answers == [('a', {'text': '1'}), ('b', {'text': '2'})]


def test_what_was_typed_ahead_answers_a_later_question(person: Person) -> None:
    person.prompter.ask('a', 'first?', hidden=False)
    person.types('1\n2\n')
    person.prompter.ask('b', 'second?', hidden=False)
    assert person.answers[-1] == ('b', {'text': '2'})


def test_the_end_of_input_answers_all_questions_that_are_left(person: Person) -> None:
    person.prompter.ask('a', 'first?', hidden=False)
    person.prompter.ask('b', 'second?', hidden=False)
    person.leaves()
    assert person.answers == [('a', ENDED), ('b', ENDED)]


def test_a_last_line_without_an_end_counts(person: Person) -> None:
    person.prompter.ask('a', 'first?', hidden=False)
    person.types('1')
    person.leaves()
    assert person.answers == [('a', {'text': '1'})]


def test_the_questions_of_a_task_that_is_over_are_dropped(person: Person) -> None:
    person.prompter.ask('a', 'first?', hidden=False)
    person.prompter.ask('b', 'second?', hidden=False)
    person.prompter.ask('a', 'third?', hidden=False)
    person.prompter.forget('a')
    person.types('2\n')
    assert person.answers == [('b', {'text': '2'})]
    assert person.said == ['a: first? ', 'b: second? ']
    assert person.aside == [True, False, True, False]


def test_forgetting_who_has_asked_nothing_changes_nothing(person: Person) -> None:
    person.prompter.ask('a', 'first?', hidden=False)
    person.prompter.forget('b')
    person.types('1\n')
    assert person.answers == [('a', {'text': '1'})]


def test_closing_leaves_the_terminal_and_answers_nobody(person: Person) -> None:
    person.prompter.ask('a', 'first?', hidden=False)
    person.prompter.close()
    person.types('1\n')
    assert not person.answers
    assert person.aside == [True, False]


def test_input_that_is_a_file_is_read_at_once(
    person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp('input') / 'lines'
    path.write_text('1\n')
    with path.open() as file:
        monkeypatch.setattr(prompt, 'STDIN', file.fileno())
        person.prompter.ask('a', 'first?', hidden=False)
        person.prompter.ask('b', 'second?', hidden=False)
    assert person.answers == [('a', {'text': '1'}), ('b', ENDED)]


def test_control_characters_of_a_task_do_not_reach_the_terminal(person: Person) -> None:
    person.prompter.ask('a', 'name\x1b[2J?', hidden=False)
    assert '\x1b' not in ''.join(person.said)


def test_a_hidden_answer_is_not_echoed_and_the_terminal_is_as_before_afterwards(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    import termios

    master, slave = os.openpty()
    try:
        monkeypatch.setattr(prompt, 'STDIN', slave)
        before = termios.tcgetattr(slave)
        person.prompter.ask('a', 'password?', hidden=True)
        assert not termios.tcgetattr(slave)[3] & termios.ECHO
        os.write(master, b'secret\n')
        person.look()
        assert person.answers == [('a', {'text': 'secret'})]
        assert termios.tcgetattr(slave) == before
        assert person.said == ['a: password? ', '\n']
    finally:
        os.close(master)
        os.close(slave)
