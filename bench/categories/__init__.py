"""Categories measured on hand-labelled stories."""
