"""``python -m mlpond`` is ``mlpond``."""

from mlpond.cli import main

main()
