"""Warmlead: one living, explained score per lead.

The package, from the inside out; imports point down only:

- ``domain``       what a lead, an event, a score and a stage are; pure functions
- ``messages``     the published contract: what automation tools receive
- ``parsing``      bytes and texts from outside as plain values: JSON, forms, charsets, times
- ``reporting``    moves and statements in, a period's KPIs out
- ``settings``     configuration, from the environment and from files
- ``model``        the reviewed YAML file that says what is worth how much; ``lint`` checks it
- ``ports``        what the use cases need from the outside
- ``application``  use cases: accept, apply, evaluate, due (decay, followup), explain, replay …
- ``web``          the HTTP edge: limits, CORS, outcomes as answers
- ``senders``      one folder a sender: its wire format, translated to events
- ``stores``, ``buses``  where leads live, how events travel
- ``simulation``   a story of one lead, played forward under a model
- ``runtime``      what runs on what, and the functions: the one place where all parts meet
- ``cli``          the ``warmlead`` command; ``local`` runs everything on one machine
"""

RELEASE = "0.1.0"
"""Kept here because a staged function has no package metadata to read it from."""
