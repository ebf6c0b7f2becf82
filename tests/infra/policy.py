"""What must be true of every plan: all rules of ``rules/``."""

from infra.rules import data, messages, rights, variables
from infra.rules.base import RULES, Rule, functions
from infra.rules.variables import given_to

__all__ = ("RULES", "Rule", "data", "functions", "given_to", "messages", "rights", "variables")
