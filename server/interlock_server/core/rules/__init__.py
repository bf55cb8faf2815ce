"""What may happen and what follows, one noun per file.

Rules read World and write through their Turn.
"""
