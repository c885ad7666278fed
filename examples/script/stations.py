"""What a script for a few files of data looks like: read, clean, fit at once, report. Run it: python stations.py [SINCE]."""

import csv
import statistics
import sys
from pathlib import Path

import parproc as pp

DATA = Path(__file__).parent / 'data'
STATIONS = sorted(path.stem for path in DATA.glob('*.csv'))


@pp.Proto('load::[station]')
def load(context, station):
    with open(DATA / f'{station}.csv', newline='') as file:
        return list(csv.DictReader(file))


@pp.Proto('clean::[station]', deps=['load::[station]'])
def clean(context, station):
    """Keep the years since the one that was asked for, and what is a number."""
    rows = [row for row in context.results[f'load::{station}'] if int(row['year']) >= context.params['since']]
    good = [(int(row['year']), float(row['celsius'])) for row in rows if row['celsius'] != '-']
    context.log(f'{len(rows) - len(good)} of {len(rows)} years have no reading')
    return good


@pp.Proto('trend::[station]', deps=['clean::[station]'], arg_choices={'station': STATIONS})
def trend(context, station):
    """Return how many degrees warmer it gets in ten years."""
    years, celsius = zip(*context.results[f'clean::{station}'])
    return 10 * statistics.linear_regression(years, celsius).slope


@pp.Proc(deps=['trend::*'])
def report(context):
    trends = {station: context.results[f'trend::{station}'] for station in STATIONS}
    lines = [f'{station:<10} {degrees:+.2f}' for station, degrees in sorted(trends.items(), key=lambda item: item[1])]
    return '\n'.join([*lines, f'{"mean":<10} {statistics.mean(trends.values()):+.2f}'])


if __name__ == '__main__':
    pp.set_options(parallel=4)
    pp.set_params(since=int(sys.argv[1]) if len(sys.argv) > 1 else 1990)
    try:
        print(pp.wait(report))
    except pp.ProcessError as error:
        sys.exit(f'no report: {error.failures}')
