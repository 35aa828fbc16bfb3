"""Steps of a trial: each one a function of the trial, that returns what it has found."""
