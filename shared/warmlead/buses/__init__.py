"""Adapters of the ``EventBus`` port and of the ports that read from it."""
