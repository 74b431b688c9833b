"""Doudi: a warehouse for social-assistance early warning."""
