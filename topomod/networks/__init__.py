"""Architectures, what they compute, a trained circuit, its file, and networks that others trained."""
