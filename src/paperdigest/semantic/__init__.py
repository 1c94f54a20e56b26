"""The vector model."""
