"""What a task file in Python declares, as far as its text says: literals in decorators and calls at its top level."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, TypeAlias

from parproc.project.index import Index, texts_of

Declared: TypeAlias = tuple[str, str, 'dict[str, list[str]] | None']
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def declarations(source: bytes, index: Index) -> Iterator[Declared]:
    """Yield name, description and the choices of protos, None for procs; note params and the separator in ``index``.

    What is declared in loops, in conditions or under names that are worked out is left out.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: for what is no Python.
    """
    return _Reader(index).declarations(ast.parse(source))


class _Reader:
    """Goes through the top level of a module and remembers what names stand for there."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._modules: set[str] = set()
        self._names: dict[str, str] = {}
        self._functions: dict[str, Function] = {}
        self._constants: dict[str, ast.expr] = {}

    def declarations(self, tree: ast.Module) -> Iterator[Declared]:
        for node in tree.body:
            if isinstance(node, ast.Import):
                self._modules |= {alias.asname or alias.name for alias in node.names if alias.name == 'parproc'}
            elif isinstance(node, ast.ImportFrom) and node.module == 'parproc':
                self._names.update({alias.asname or alias.name: alias.name for alias in node.names})
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._functions[node.name] = node
                for decorator in node.decorator_list:
                    yield from self._decorated(decorator, node)
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, 'target', None)]
                self._constants.update({target.id: node.value for target in targets if isinstance(target, ast.Name)})
                if isinstance(node.value, ast.Call):
                    yield from self._called(node.value)

    def _decorated(self, decorator: ast.expr, function: Function) -> Iterator[Declared]:
        if isinstance(decorator, ast.Call):
            yield from self._declared(self._kind(decorator.func), decorator, function)
        else:
            yield from self._declared(self._kind(decorator), None, function)

    def _called(self, call: ast.Call) -> Iterator[Declared]:
        """Read ``Proc('x', function)``, ``Proc('x')(function)``, ``Proc(function)``, and what sets params and options."""
        kind = self._kind(call.func)
        if kind == 'set_params':
            names = [word.arg for word in call.keywords if word.arg]
            self._index.params += [name for name in names if name not in self._index.params]
        elif kind == 'set_options':
            separator = self._keyword(call, 'name_param_separator')
            if isinstance(separator, str) and separator:
                self._index.separator = separator
        elif isinstance(call.func, ast.Call) and len(call.args) == 1:
            yield from self._declared(self._kind(call.func.func), call.func, self._function(call.args[0]))
        elif len(call.args) == 2:
            yield from self._declared(kind, call, self._function(call.args[1]))
        elif len(call.args) == 1 and (function := self._function(call.args[0])) is not None:
            yield from self._declared(kind, None, function)

    def _declared(self, kind: str, call: ast.Call | None, function: Function | None) -> Iterator[Declared]:
        if kind not in {'Proc', 'Proto'}:
            return
        name: Any = function.name if function is not None else None
        if call is not None and call.args:
            name = self._literal(call.args[0])
        elif call is not None and any(word.arg == 'name' for word in call.keywords):
            name = self._keyword(call, 'name')
        if not isinstance(name, str):
            return  # worked out while it runs
        text = self._keyword(call, 'doc')
        if not isinstance(text, str):
            documented = (ast.get_docstring(function) if function is not None else None) or ''
            text = ' '.join(documented.split('\n\n')[0].split())
        if kind == 'Proc':
            yield name, text, None
            return
        args = self._keyword(call, 'args')
        given = args if isinstance(args, dict) else {}
        missing = [word for word in _required(function) if f'[{word}]' not in name and word not in given]
        pattern = self._index.separator.join([name, *(f'[{word}]' for word in missing)])
        yield pattern, text, texts_of(self._keyword(call, 'arg_choices'))

    def _kind(self, node: ast.expr) -> str:
        """Return which of parproc's names an expression is; empty for any other."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in self._modules:
            return node.attr
        return self._names.get(node.id, '') if isinstance(node, ast.Name) else ''

    def _function(self, node: ast.expr) -> Function | None:
        return self._functions.get(node.id) if isinstance(node, ast.Name) else None

    def _keyword(self, call: ast.Call | None, name: str) -> Any:
        words = call.keywords if call is not None else ()
        return next((self._literal(word.value) for word in words if word.arg == name), None)

    def _literal(self, node: ast.expr) -> Any:
        """Return the value of a literal, or of a name for one; in a mapping, the entries that are. None for others."""
        if isinstance(node, ast.Name) and node.id in self._constants:
            node = self._constants[node.id]
        if isinstance(node, ast.Dict):
            return {
                key.value: self._literal(value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return None


def _required(function: Function | None) -> list[str]:
    """Return the parameters besides the context that a call has to give."""
    if function is None:
        return []
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)][1:]
    defaults = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [word.arg for word in [*required, *(word for word, default in defaults if default is None)]]
