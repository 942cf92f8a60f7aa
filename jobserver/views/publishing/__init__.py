"""Making outputs public: asking, deciding, and the public page (spec: airlock 6, 12.36 to 12.39)."""
