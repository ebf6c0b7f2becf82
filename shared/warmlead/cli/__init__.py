"""The ``warmlead`` command: what a person does with leads, models and messages at a terminal."""
