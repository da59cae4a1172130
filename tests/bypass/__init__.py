"""Attacks on masking, with a gateway in between."""
