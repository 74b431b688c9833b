"""Pulling deliveries from where departments leave them, one module per kind of source.

Host and credentials live in an Airflow connection, and only there. Nothing here changes or deletes what lies at the
source, and nothing half is ever seen as a delivery.
"""
