"""parproc as a library: a script that runs its own functions in parallel and uses what they return."""

import parproc as pp


@pp.Proto('primes::[start]::[stop]')
def primes(context, start: int, stop: int):
    """Return the primes from start up to stop."""
    return [n for n in range(max(2, start), stop) if all(n % d for d in range(2, int(n**0.5) + 1))]


@pp.Proc('total')
def total(context):
    """Split the work from inside: this proc holds no slot while it waits."""
    names = [context.run(f'primes::{start}::{start + 500}')[0] for start in range(0, 2000, 500)]
    context.wait(names)
    return sum(len(context.results[name]) for name in names)


@pp.Proc('early', now=True)
def early(context):
    """Starts the moment it is defined."""
    return 'started at once'


if __name__ == '__main__':
    pp.run('total')
    pp.wait_for_all()
    print(pp.results()['early'])
    print(pp.results()['total'], 'primes below 2000')
