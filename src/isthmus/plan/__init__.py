"""Model to plan: every name resolved to what it names, every rule lowered to what the engine runs."""

from isthmus.plan.building import build
from isthmus.plan.built import Built, Check, CheckTarget, CheckTls, CommandSocket, Health, Process, Runtime

__all__ = [
    "Built",
    "Check",
    "CheckTarget",
    "CheckTls",
    "CommandSocket",
    "Health",
    "Process",
    "Runtime",
    "build",
]
