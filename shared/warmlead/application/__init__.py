"""The use cases, one a module: what Warmlead does, in terms of ports and the domain."""
