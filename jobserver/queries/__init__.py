"""Reads for pages: few statements, typed rows, no writes ever."""
