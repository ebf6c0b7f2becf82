"""What the fuzzed processes are forked from has imported already, so that they start at once."""

import functions_framework.aio  # noqa: F401  # see above

import warmlead.wiring  # noqa: F401  # see above
from fuzz import functions, scored, signing  # noqa: F401  # see above
from warmlead.sources import generic, hubspot, pipedrive, sales, salesforce, segment  # noqa: F401  # see above
from warmlead.web import multipart  # noqa: F401  # see above
