"""What a person may ask of whoever keeps data about them: a copy, or that it goes."""
