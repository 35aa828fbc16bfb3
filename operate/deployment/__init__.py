"""Deploy a ring through Pulumi's Automation API."""
