"""The staff area: where the service is run (spec: staff)."""
