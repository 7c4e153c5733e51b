"""The command line: ``mlpond run``, ``sql``, ``shell``, ``list``, ``help``, ``seed``, ``init``.

Nothing heavy is imported here or in ``app``, so that ``mlpond version`` answers at once; every
command imports what it needs when it is called.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line with the arguments of the process."""
    from mlpond.cli.app import app

    app(prog_name="mlpond")
