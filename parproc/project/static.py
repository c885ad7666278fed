"""What a task file declares as far as it can be read without running it: literals in decorators and calls, and TOML."""

from __future__ import annotations

import ast
import os
from typing import Any

from parproc.project.index import Index

DECLARES = {'Proc', 'Proto'}


def read_statically(files: list[str]) -> Index:
    """Return what some task files declare; what cannot be read is left out, and nothing of them is run."""
    index = Index()
    seen: set[str] = set()
    for path in files:
        _read(path, (), index, seen)
    return index


def _read(path: str, scope: tuple[str, ...], index: Index, seen: set[str]) -> None:
    real = os.path.realpath(path)
    if real in seen:
        return
    seen.add(real)
    try:
        with open(path, 'rb') as file:
            source = file.read()
        if path.endswith('.toml'):
            _read_toml(path, source.decode(), scope, index, seen)
        else:
            _read_python(ast.parse(source), scope, index)
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return


# --- TOML ----------------------------------------------------------------------------------------------------------


def _read_toml(path: str, source: str, scope: tuple[str, ...], index: Index, seen: set[str]) -> None:
    import tomli

    data: Any = tomli.loads(source)
    if os.path.basename(path) == 'pyproject.toml':
        data = _table(_table(data, 'tool'), 'parproc')
    separator = _table(data, 'options').get('name_param_separator')
    if isinstance(separator, str) and separator:
        index.separator = separator
    index.params += [name for name in _table(data, 'params') if name not in index.params]
    for name, table in _table(data, 'proc').items():
        _add(index, scope, name, _text(table, 'doc'), None)
    for name, table in _table(data, 'proto').items():
        choices = _table(table, 'arg_choices') if isinstance(table, dict) else {}
        _add(index, scope, name, _text(table, 'doc'), _texts(choices))
    include = data.get('include')
    for entry in include if isinstance(include, list) else ():
        if isinstance(entry, str):
            parts = [part for part in os.path.dirname(os.path.normpath(entry)).split(os.sep) if part not in ('', '..')]
            _read(os.path.join(os.path.dirname(path), entry), (*scope, *parts), index, seen)


def _table(data: Any, key: str) -> dict[str, Any]:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _text(table: Any, key: str) -> str:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, str) else ''


def _texts(choices: Any) -> dict[str, list[str]]:
    if not isinstance(choices, dict):
        return {}
    return {
        str(name): [str(value) for value in values]
        for name, values in choices.items()
        if isinstance(values, (list, tuple))
    }


def _add(index: Index, scope: tuple[str, ...], name: str, text: str, choices: dict[str, list[str]] | None) -> None:
    if not name or not name.isprintable():
        return
    full = index.separator.join((*scope, name))
    if choices is None:
        index.procs[full] = text
    else:
        known = {key: [value for value in values if value.isprintable()] for key, values in choices.items()}
        index.protos[full] = (text, {**known})


# --- Python --------------------------------------------------------------------------------------------------------


def _read_python(tree: ast.Module, scope: tuple[str, ...], index: Index) -> None:
    modules: set[str] = set()
    names: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == 'parproc'}
        elif isinstance(node, ast.ImportFrom) and node.module == 'parproc':
            names.update({alias.asname or alias.name: alias.name for alias in node.names})
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            _take_call(node.value, modules, names, scope, index)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                kind = _kind(decorator.func if isinstance(decorator, ast.Call) else decorator, modules, names)
                if kind in DECLARES:
                    call = decorator if isinstance(decorator, ast.Call) else None
                    _declare(kind, call, node, scope, index)


def _kind(node: ast.expr, modules: set[str], names: dict[str, str]) -> str:
    """Return which of parproc's names an expression is; empty for any other."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
        return node.attr
    return names.get(node.id, '') if isinstance(node, ast.Name) else ''


def _take_call(call: ast.Call, modules: set[str], names: dict[str, str], scope: tuple[str, ...], index: Index) -> None:
    kind = _kind(call.func, modules, names)
    if kind in DECLARES and len(call.args) == 2:
        _declare(kind, call, None, scope, index)
    elif kind == 'set_params':
        index.params += [word.arg for word in call.keywords if word.arg and word.arg not in index.params]
    elif kind == 'set_options':
        separator = _keyword(call, 'name_param_separator')
        if isinstance(separator, str) and separator:
            index.separator = separator


def _declare(
    kind: str,
    call: ast.Call | None,
    function: ast.FunctionDef | ast.AsyncFunctionDef | None,
    scope: tuple[str, ...],
    index: Index,
) -> None:
    name: Any = None
    if call is not None:
        name = _literal(call.args[0]) if call.args else _keyword(call, 'name')
        if (call.args or any(word.arg == 'name' for word in call.keywords)) and name is None:
            return  # worked out while it runs
    if name is None and function is not None:
        name = function.name
    if not isinstance(name, str):
        return
    text = _keyword(call, 'doc') if call is not None else None
    if not isinstance(text, str):
        documented = (ast.get_docstring(function) if function is not None else None) or ''
        text = ' '.join(documented.split('\n\n')[0].split())
    if kind == 'Proc':
        _add(index, scope, name, text, None)
        return
    choices = _keyword(call, 'arg_choices') if call is not None else None
    args = _keyword(call, 'args') if call is not None else None
    _add(index, scope, _with_required(name, function, args, index.separator), text, _texts(choices))


def _with_required(
    name: str, function: ast.FunctionDef | ast.AsyncFunctionDef | None, args: Any, separator: str
) -> str:
    """Return a proto's pattern with the parameters that nothing else supplies as further placeholders."""
    if function is None:
        return name
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)][1:]
    required += [
        word for word, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None
    ]
    given = args if isinstance(args, dict) else {}
    missing = [word.arg for word in required if f'[{word.arg}]' not in name and word.arg not in given]
    return separator.join([name, *(f'[{word}]' for word in missing)])


def _keyword(call: ast.Call, name: str) -> Any:
    return next((_literal(word.value) for word in call.keywords if word.arg == name), None)


def _literal(node: ast.expr) -> Any:
    """Return the value of a literal; in a mapping, the entries that are one. None for anything else."""
    if isinstance(node, ast.Dict):
        return {_literal(key): _literal(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
