"""One folder a sender, and the translation that they share. Senders know nothing of each other."""
