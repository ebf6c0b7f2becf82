"""What outcomes teach about a model: its points judged and learned, for a person to accept."""
