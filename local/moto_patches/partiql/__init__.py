"""PartiQL statements, executed on moto's tables, or refused."""
