"""Everything that runs Warmlead on one machine."""
