"""The settings: what people look after for themselves (spec: pages 7 and 30.7). One module for each tab."""
