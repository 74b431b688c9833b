"""dbt by hand: ``python -m doudi.transform --as-of 2020-06-30 <dbt command>``, with all that a build would pass it."""

import sys

from doudi.settings import load_settings, parse_date
from doudi.transform.runner import BuildError, Runner, refuse_failures
from doudi.warehouse.connection import warehouse_url


def main(arguments: list[str]) -> int:
    """Run one dbt command against the schemas of the present. Returns 1 where any node failed."""
    settings = load_settings()
    as_of = settings.date_of_run()
    if arguments[:1] == ["--as-of"]:
        as_of, arguments = parse_date(arguments[1], name="--as-of"), arguments[2:]
    runner = Runner(url=warehouse_url(settings), settings=settings, as_of=as_of, artifacts=True, progress=print)
    try:
        refuse_failures(runner.run(*arguments))
    except BuildError as error:
        print(*error.failed, sep="\n", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
