"""Noticing that files have changed: ``scanner`` is a program that looks at them, ``watcher`` starts and reads it."""
