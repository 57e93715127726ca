"""Matching: does a picture show what makes a sound?"""
