"""Referring expressions: is the thing that an expression means the one that is picked?"""
