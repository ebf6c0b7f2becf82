"""The HTTP edge: limits, parsers, signatures, CORS, outcomes as answers. Knows no use case."""
