"""Presence: yes/no questions about things that are and are not there."""
