"""The rules of lead scoring as plain values and functions: no clock, no I/O, no vendor."""
