"""The base of functions and commands, and the functions themselves."""
