"""Shadow: two settings over the same posts, and where they part."""
