"""The private pages and the API: what people of marketing and sales see of the leads, and say."""
