"""The published contract: the messages that automation tools receive, and their schemas."""
