"""Leads in Firestore."""
