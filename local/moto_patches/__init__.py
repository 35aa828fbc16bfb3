"""moto, made to behave as AWS does where a ring would see the difference."""
