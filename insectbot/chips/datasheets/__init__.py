"""Chip datasheets: every limit, width, time and joule with unit, source and evidence."""
