"""Hearing: is the right sound named?"""
