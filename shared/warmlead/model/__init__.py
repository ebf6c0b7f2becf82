"""The model: the reviewed YAML file that says what is worth how much, compiled to rules."""
