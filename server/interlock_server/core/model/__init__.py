"""Records of the domain, without rules: one noun per file. Only `core.apply` assigns to live ones.

Records are msgspec structs written as arrays: to change one that is released, add fields with a
default at its end.
"""
