"""What staff send: lists' addresses and forms."""
