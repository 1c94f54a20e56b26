"""``python -m paperdigest`` is the command line."""

from paperdigest.cli import main

main()
