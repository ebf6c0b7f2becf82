"""What functions and commands run on, and the functions themselves."""
