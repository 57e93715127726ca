"""Sound events: is each found, from when to when?"""
