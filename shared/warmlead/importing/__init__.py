"""History from files: rows of CSV, JSON lines and Parquet as events and spend."""
