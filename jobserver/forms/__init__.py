"""Forms: whether what a browser sent is well formed, and what to say if it is not."""
