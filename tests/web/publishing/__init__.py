"""Making outputs public, in a browser (spec: airlock 6, 12.36 to 12.39)."""
