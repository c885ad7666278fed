"""Fan out over files and combine what comes back: the words of some texts, counted in parallel."""

import collections
import re
from pathlib import Path

import parproc as pp


def titles():
    return sorted(path.stem for path in Path('texts').glob('*.txt'))


@pp.Proto('count::[title]', arg_choices={'title': titles})
def count(context, title: str):
    """Count the words of one text."""
    words = re.findall(r"[a-z']+", Path('texts', f'{title}.txt').read_text().lower())
    context.progress(1.0, f'{len(words)} words')
    return collections.Counter(words)


@pp.Proc('report', deps=['count::*'], now=True)
def report(context):
    """Write the most frequent words of all texts together."""
    total = sum((context.results[f'count::{title}'] for title in titles()), collections.Counter())
    lines = [f'{word} {number}' for word, number in sorted(total.items(), key=lambda item: (-item[1], item[0]))[:10]]
    Path('report.txt').write_text('\n'.join(lines) + '\n')
    print('\n'.join(lines))
