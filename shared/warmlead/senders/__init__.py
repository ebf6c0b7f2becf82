"""One folder per sender, and the translation that they share. Senders do not import each other."""
