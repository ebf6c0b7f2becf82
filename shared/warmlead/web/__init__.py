"""The HTTP edge: limits, CORS, answers, logs. Use cases are passed in."""
