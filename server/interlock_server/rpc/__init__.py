"""The only part that knows gRPC: one servicer for each service, and what they share.

A method checks the request, makes a command, awaits the partition and converts the answer. What is
refused is raised and becomes a status in `guard`.
"""
