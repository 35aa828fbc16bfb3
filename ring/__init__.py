"""The stack: settings, topology and the Pulumi components they become."""
