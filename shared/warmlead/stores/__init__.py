"""Adapters of the ``LeadStore`` port."""
