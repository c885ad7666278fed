"""The contracts on imports in ``pyproject.toml`` hold, and each fails when it is broken."""

from __future__ import annotations

import copy
import fnmatch
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract

ROOT = Path(__file__).parent.parent
SETTINGS = read_configuration(str(ROOT / 'pyproject.toml'))
CONTRACTS: list[dict[str, Any]] = SETTINGS['contracts_options']
KINDS = {'layers': LayersContract, 'forbidden': ForbiddenContract}
NOWHERE = 'module_that_has_no_place'


@functools.cache
def real_imports() -> grimp.ImportGraph:
    """Return the imports of the package as it is; building that takes seconds, and a copy next to nothing."""
    return grimp.build_graph('parproc', include_external_packages=True, cache_dir=None)


def is_kept(contract: dict[str, Any], imports: grimp.ImportGraph) -> bool:
    kind = KINDS[contract['type']]
    return (
        kind(contract['name'], SETTINGS['session_options'], contract).check(copy.deepcopy(imports), verbose=False).kept
    )


def with_import(importer: str, imported: str) -> grimp.ImportGraph:
    imports = copy.deepcopy(real_imports())
    if imported not in imports.modules:
        imports.add_module(imported, is_squashed=True)
    imports.add_import(importer=importer, imported=imported)
    return imports


def modules_named(expression: str) -> list[str]:
    """Return the modules that a contract means by a name, which may have wildcards."""
    found = sorted(fnmatch.filter(real_imports().modules, expression)) if '*' in expression else [expression]
    assert found, f'no module is called {expression}'
    return found


def layers_of(contract: dict[str, Any], container: str) -> list[list[str]]:
    """Return the modules of each layer, by their full names, the highest first."""
    prefix = f'{container}.' if container else ''
    return [[prefix + name.strip(' ()') for name in layer.replace(':', '|').split('|')] for layer in contract['layers']]


def containers_of(contract: dict[str, Any]) -> list[str]:
    return [name for one in contract.get('containers', []) for name in modules_named(one)]


def violations(contract: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield imports that a contract forbids: an importer, and what it must not import."""
    if contract['type'] == 'layers':
        for container in containers_of(contract) or ['']:
            layers = layers_of(contract, container)
            yield layers[-1][0], layers[0][0]
            yield from ((lower[0], higher[0]) for higher, lower in itertools.pairwise(layers))
            for layer, text in zip(layers, contract['layers'], strict=True):
                if '|' in text:
                    yield layer[0], layer[1]
                    yield layer[1], layer[0]
    elif contract['type'] == 'forbidden':
        sources = [name for one in contract['source_modules'] for name in modules_named(one)]
        for source, forbidden in itertools.product(sources, contract['forbidden_modules']):
            yield source, modules_named(forbidden)[0]
    else:
        pytest.fail(f'say here what breaks a contract of type {contract["type"]}')


@pytest.mark.parametrize('contract', CONTRACTS, ids=lambda contract: contract['name'])
def test_each_contract_holds_and_fails_on_each_import_that_it_forbids(contract: dict[str, Any]) -> None:
    assert is_kept(contract, real_imports())
    planted = list(dict.fromkeys(violations(contract)))
    assert planted
    assert [pair for pair in planted if is_kept(contract, with_import(*pair))] == []


@pytest.mark.parametrize(
    'contract', [one for one in CONTRACTS if one.get('exhaustive')], ids=lambda contract: contract['name']
)
def test_each_exhaustive_contract_fails_on_a_module_that_has_no_place(contract: dict[str, Any]) -> None:
    for container in containers_of(contract):
        imports = copy.deepcopy(real_imports())
        imports.add_module(f'{container}.{NOWHERE}')
        assert not is_kept(contract, imports)


def test_every_contract_on_layers_of_a_room_is_exhaustive() -> None:
    lenient = [one['name'] for one in CONTRACTS if one.get('containers') and not one.get('exhaustive')]
    assert lenient == []
