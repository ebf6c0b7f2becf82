"""How messages travel: adapters of the ``EventBus`` port and of those that read from it."""
