"""What runs leave on disk: a folder of logs and results for each, and the history of all of them in a database.

- ``run_folder``: where one run writes, over ``locked_folders`` (who may remove it) and ``spread_folders``
- ``history``: what is remembered of runs, over ``write_rows`` and ``read_rows`` (which trusts no file)
- ``database``: the SQLite file, with ``schema`` (its tables, step by step), ``query_limits`` (what reading may cost),
  ``run_locks`` (which runs go on) and ``file_identity`` (whether it is still the same file)
- ``state_folder``: whether the folder of all this is ours
"""
