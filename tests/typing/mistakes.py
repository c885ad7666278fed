"""What a type checker has to find: each line that ends in a comment is wrong, and the comment says what mypy calls it."""

from __future__ import annotations

import parproc as pp

pp.set_options(paralel=3)  # call-arg
pp.set_options(parallel='3')  # arg-type
pp.set_options(mode='thread')  # arg-type
pp.set_options(log_ignore='noise')  # arg-type
pp.Session(paralel=3)  # call-arg
pp.Session(grace=[])  # arg-type
pp.Proc('a', lambda context: 1, dep=['b'])  # call-overload
pp.Proc('a', lambda context: 1, deps='b')  # call-overload
pp.Proc('a', lambda context: 1, deps=[3])  # list-item
pp.Proc('a', lambda context: 1, timeout=[])  # call-overload
pp.Proc('a', lambda context: 1, arg_choices={'env': ['dev']})  # call-overload
pp.Proc(3)  # call-overload
pp.Proc('a', 3)  # call-overload
pp.Proto('a::[x]', lambda context, x: x, arg_choices={'x': 'dev'})  # dict-item
pp.Proto('a::[x]', lambda context, x: x, replace='yes')  # call-overload


@pp.Proc('typed', dep=['b'])  # call-overload
def typed(context: pp.ProcContext) -> int:
    return 1


@pp.Proc('kept', deps=['b'])
def kept(context: pp.ProcContext, n: int = 1) -> int:
    return n


kept(n='x')  # call-arg arg-type
pp.wait('a', time=3)  # call-arg
pp.set_options(output='silent')  # arg-type
pp.wait_for_all(raising=True)  # call-arg
pp.get_procs()['a'].sate  # attr-defined
