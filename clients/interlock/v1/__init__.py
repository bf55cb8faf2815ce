"""Generated messages and stubs of the API, one module for each proto. Never edited.

Made from protos/interlock/v1 by `make gen`.
"""
