"""Bytes and texts from outside as plain values: JSON, forms, charsets, times, signatures."""
