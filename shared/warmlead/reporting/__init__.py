"""Reports: moves between stages and statements of sales in, a period's numbers out."""
