"""`python -m routebooks` is the command line."""

from routebooks.app import main

main()
