"""Waves, locks and reverse dependencies: two small SQLite databases are backed up, migrated and checked."""

import shutil
import sqlite3
from pathlib import Path

import parproc as pp

DATA = Path('data')
CHOICES = {'db': ['users', 'orders']}


@pp.Proto('create::[db]', wave=0, arg_choices=CHOICES)
def create(context, db: str):
    """Make a database with one table, if there is none."""
    with sqlite3.connect(DATA / f'{db}.sqlite') as connection:
        connection.execute('create table if not exists item (name text)')
        connection.execute('insert into item (name) values (?)', (db,))


@pp.Proto('backup::[db]', wave=1, rdeps=['migrate::[db]'], arg_choices=CHOICES)
def backup(context, db: str):
    """Copied before every migration: migrate knows nothing of it."""
    shutil.copy(DATA / f'{db}.sqlite', DATA / f'{db}.backup')


@pp.Proto('migrate::[db]', wave=1, deps=['create::[db]'], locks=['migration-log'], arg_choices=CHOICES)
def migrate(context, db: str):
    """Add a column; the shared log is written by one at a time."""
    with sqlite3.connect(DATA / f'{db}.sqlite') as connection:
        columns = [row[1] for row in connection.execute('pragma table_info(item)')]
        if 'price' in columns:
            raise pp.ProcSkippedError('migrated already')
        connection.execute('alter table item add column price integer default 0')
    with open(DATA / 'migrations.log', 'a') as log:
        log.write(f'{db}: price\n')


@pp.Proto('announce', rdeps=[pp.WhenScheduled('migrate::[db]')], wave=1)
def announce(context, db: str):
    """When asked for, says so before the migration, and brings the migration along."""
    print(f'{db} is about to be migrated')


@pp.Proc('check', wave=2, deps=['migrate::*', pp.NO_FAILURES])
def check(context):
    """All databases have the new column."""
    for db in CHOICES['db']:
        with sqlite3.connect(DATA / f'{db}.sqlite') as connection:
            print(db, connection.execute('select name, price from item').fetchall())
