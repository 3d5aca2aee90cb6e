"""Scenarios that ship with insectbot, each runnable by name: ``insectbot run NAME``."""
