"""Superset's dashboards: declared in dashboards/, made into a bundle that Superset imports, and served on this machine.

Superset itself lives in an environment of its own, ``.venv-superset``; only what is in ``inside`` runs there.
"""
