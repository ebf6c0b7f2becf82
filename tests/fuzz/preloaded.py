"""What the fuzzed processes are forked from has imported already, so that they start at once."""

import functions_framework.aio  # noqa: F401

import warmlead.wiring  # noqa: F401
from fuzz import functions, scored, signing  # noqa: F401
from warmlead.sources import generic, hubspot, pipedrive, sales, salesforce, segment  # noqa: F401
from warmlead.web import multipart  # noqa: F401
