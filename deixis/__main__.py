"""``python -m deixis`` is the program `deixis`."""

from deixis.cli.main import main

main()
