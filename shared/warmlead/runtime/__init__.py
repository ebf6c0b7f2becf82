"""The table of functions, the functions themselves, and what they and the commands run on."""
