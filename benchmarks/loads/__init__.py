"""Processes that make load or watch, each started as a module and spoken to in lines of JSON."""

from __future__ import annotations
