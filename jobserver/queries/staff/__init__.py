"""What the staff area reads."""
