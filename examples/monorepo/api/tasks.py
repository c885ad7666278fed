import json
import pathlib

import parproc as pp

ROUTES = {'/': 'home', '/about': 'about'}


@pp.Proc
def check(context):
    """Every route leads to a page of the web part."""
    for route, page in ROUTES.items():
        if not pathlib.Path('..', 'web', f'{page}.page').exists():
            raise pp.ProcFailedError(f'{route} leads to {page}, which is no page')
    return len(ROUTES)


@pp.Proc(deps=['check', 'version'])
def build(context):
    """Write the routes, with the version of the whole."""
    version = pathlib.Path('..', 'VERSION').read_text().strip()
    pathlib.Path('routes.json').write_text(json.dumps({'version': version, 'routes': ROUTES}))
    return {'routes': context.results['api::check']}
