"""``python -m mlpond.cli`` is ``mlpond``."""

from mlpond.cli import main

main()
