"""Measuring what a model is good for."""
