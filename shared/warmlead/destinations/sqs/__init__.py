"""Messages in a queue of Amazon SQS, for programs that fetch them."""

from warmlead.destinations.sqs.destination import SqsDestination, SqsSettings

__all__ = ["SqsDestination", "SqsSettings"]
