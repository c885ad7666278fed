"""Whose process is whose, and how nothing is left behind: the reaper, orphans, signals to whole trees."""
