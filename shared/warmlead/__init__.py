"""Warmlead: one living, explained score per lead.

The package, from the inside out; imports point down only:

- ``domain``       what a lead, an event, a score and a stage are; pure functions
- ``model``        the reviewed YAML file that says what is worth how much
- ``ports``        what the use cases need from the outside
- ``application``  one use case a module: accept, apply, explain, replay …
- ``web``          the HTTP edge: limits, signatures, CORS, outcomes as answers
- ``sources``      one folder a sender: its wire format, translated to events
- ``stores``, ``buses``  where leads live, how events travel
- ``settings``     configuration, from the environment
- ``backends``     what runs on what: the store and the bus of the settings
- ``wiring``       the functions: the one place where all parts meet
- ``cli``          the ``warmlead`` command
"""

RELEASE = "0.1.0"
"""Kept here because a staged function has no package metadata to read it from."""
