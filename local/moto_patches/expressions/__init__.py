"""Expressions, evaluated by moto as DynamoDB evaluates them."""
