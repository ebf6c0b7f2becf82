"""The use cases: what Warmlead does, in terms of ports and the domain."""
