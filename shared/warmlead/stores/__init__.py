"""Where leads live: adapters of the ``LeadStore`` port."""
