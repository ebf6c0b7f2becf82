"""The same job as many would write it, to compare with; done well.

Google's own clients, synchronous functions, a transaction for each event, a document for each
event that was counted, an outbox document for each trigger, and ``publish().result()``.
It does less than Warmlead: no history, no decay, no limits, no explanations.
"""
