"""What the fuzzed processes are forked from has imported already, so that they start at once."""

import functions_framework.aio  # noqa: F401  # see above

import warmlead.runtime.functions  # noqa: F401  # see above
from fuzz import functions, scored, signing  # noqa: F401  # see above
from warmlead.parsing import form_bodies  # noqa: F401  # see above
from warmlead.senders.registry import REGISTRY

for each in REGISTRY:
    each.adapter_type()
