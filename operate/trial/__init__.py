"""The acceptance run: a ring of its own name on AWS, that is deployed, tried and destroyed."""
