"""The tindon command."""
