"""The local ring's endpoint: moto's server, and what is added to it."""
