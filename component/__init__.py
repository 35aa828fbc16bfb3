"""The ring's component for programs in every language of Pulumi."""
