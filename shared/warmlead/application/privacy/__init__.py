"""Requests that a person may make about their data: a copy, or erasure."""
